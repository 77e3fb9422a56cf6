package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Prune implements [store.History].
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err = r.Validate(); err == nil {
		err = s.check(ctx)
	}
	if err == nil {
		more, err = s.prune(ctx, r)
	}
	if err != nil {
		return false, fmt.Errorf("boltstore: prune: %w", err)
	}
	return more, nil
}

func (s *Store) prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if more, err := s.resumeErasure(ctx); more || err != nil {
		return more, err
	}
	if s.plannedPurge() != nil {
		return true, s.submit(ctx, &op{run: func(t *txn.Tx) error {
			// Now, for another step may have been taken meanwhile.
			if w := s.plannedPurge(); w != nil {
				return w.Step(t)
			}
			return nil
		}})
	}
	return s.walkLog(ctx, r)
}

// walkLog takes one step of a round through the log, which looks at the events that may have
// something past its retention. It looks in a transaction that reads, and writes only when there is
// something to do.
func (s *Store) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := s.plannedWalk(r)
	if err := s.read(ctx, w.Read); err != nil {
		return false, err
	}
	ended := len(w.Stretches) == 0 && w.All && !w.Orphans // or else there are others by now
	if w.Blocked != 0 || ended || len(w.Rows)+len(w.Events)+len(w.Counts) > 0 {
		s.mu.Lock()
		s.memory.RequireWatermark(w.Blocked)
		s.unlock()
		err := s.submit(ctx, &op{run: func(t *txn.Tx) error { return w.Remove(t, ended) }})
		if err != nil {
			return false, err // the next step looks at the same again
		}
	}
	s.mu.Lock()
	defer s.unlock()
	return s.memory.EndWalk(w), nil
}

// plannedPurge returns the next step of a purge; nil if there is none.
func (s *Store) plannedPurge() *txn.Purge {
	s.mu.Lock()
	defer s.unlock()
	return s.memory.PlanPurge()
}

// plannedWalk returns the next step of the walk through the log.
func (s *Store) plannedWalk(r store.Retention) *memory.PlannedWalk {
	s.mu.Lock()
	defer s.unlock()
	return s.memory.PlanWalk(r)
}
