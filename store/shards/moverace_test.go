package shards_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/store"
)

// TestMoveBesidesReaders moves a tenant to and fro while others read of it and of another one, so
// that both the Move and they ask the stores where tenants are. It is for the race detector: what
// is known of tenants is read and written at the same time.
func TestMoveBesidesReaders(t *testing.T) {
	const moves = 150
	s := inMemory(t, 2)
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for i := range 4 {
		tenant := []string{"moved", "stays"}[i%2]
		readers.Go(func() {
			for ctx.Err() == nil {
				_, err := s.CountPending(ctx, tenant, 1)
				if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrMoved) {
					t.Errorf("CountPending of %q: %v", tenant, err)
					return
				}
			}
		})
	}
	for i := range moves {
		if err := s.Move(t.Context(), "moved", i%2); err != nil {
			t.Error(fmt.Errorf("move %d: %w", i, err))
			break
		}
	}
	stop()
	readers.Wait()
}
