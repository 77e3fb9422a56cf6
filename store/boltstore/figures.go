package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Figures implements [store.History].
func (s *Store) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	err := q.Validate()
	var f store.Figures
	if err == nil {
		f, err = s.db.Figures(ctx, &q)
	}
	if err != nil {
		return store.Figures{}, fmt.Errorf("boltstore: figures: %w", err)
	}
	return f, nil
}
