package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Enqueue implements [store.Queue]. It returns when the events are on disk.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := record.NewEvents(evs) // needs no transaction
	if err == nil {
		err = s.db.check(ctx)
	}
	if err == nil && len(built) > 0 {
		err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) error { return t.Enqueue(built) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: enqueue: %w", err)
	}
	// Not before: the operation may run more than once, and it has ended now.
	s.countUnwanted(built)
	return nil
}

// countUnwanted counts those events of a call that has been committed that nobody was to get.
func (s *Store) countUnwanted(built []*record.Event) {
	for _, e := range built {
		if e.Unwanted {
			s.statistics.unwanted.Add(e.Type)
		}
	}
}
