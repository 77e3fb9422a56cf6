// Package erase removes events from a store in steps, so that no transaction is long however much
// an erasure takes.
package erase

import (
	"context"

	"github.com/outhook/outhook/store"
)

// step is how many events one step takes.
const step = 100

// All takes all steps of q and returns how many events it has erased, also beside an error.
func All(ctx context.Context, s store.Store, q store.EraseQuery) (int, error) {
	q.Limit = step
	total := 0
	for {
		n, next, err := s.Erase(ctx, q)
		total += n
		if err != nil || next == "" {
			return total, err
		}
		q.Cursor = next
	}
}
