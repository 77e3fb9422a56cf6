package boltstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// house is what memory knows of the housekeeping.
type house struct {
	sweeps  []*txn.PurgeState // of subscriptions with marks, or deleted
	begun   int               // counts the sweeps
	orphans bool              // there may be events whose subscriptions are all deleted

	txn.Round // through the log

	steps  int // counts what has moved the walk, see moveOn
	looked int // how many events and deliveries all walks have looked at
}

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
			if w := s.plannedPurge(); w != nil { // now, for another step may have been taken meanwhile
				return w.Step(t)
			}
			return nil
		}})
	}
	return s.walkLog(ctx, r)
}

// walkLog takes one step of a round through the log, which looks at the events that may have something past its
// retention. It looks in a transaction that reads, and writes only when there is something to do.
func (s *Store) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := s.plannedWalk(r)
	if err := s.read(ctx, w.Read); err != nil {
		return false, err
	}
	ended := len(w.Stretches) == 0 && w.All && !w.orphans // or else there are others by now
	if w.Blocked != 0 || ended || len(w.Rows)+len(w.Events)+len(w.Counts) > 0 {
		s.mu.Lock()
		s.memory.want(w.Blocked)
		s.unlock()
		if err := s.submit(ctx, &op{run: func(t *txn.Tx) error { return w.Remove(t, ended) }}); err != nil {
			return false, err // the next step looks at the same again
		}
	}
	s.mu.Lock()
	defer s.unlock()
	return s.memory.moveOn(w), nil
}

// plannedPurge returns the next step of a purge; nil if there is none.
func (s *Store) plannedPurge() *txn.Purge {
	s.mu.Lock()
	defer s.unlock()
	return s.memory.planSweep()
}

// plannedWalk returns the next step of the walk through the log.
func (s *Store) plannedWalk(r store.Retention) *plannedWalk {
	s.mu.Lock()
	defer s.unlock()
	return s.memory.planWalk(r)
}

// moveOn notes how far a step has come, and reports whether there is more to do. Prune may be called by several at once:
// a step that another has overtaken has removed what it did, and moves nothing.
func (m *memory) moveOn(w *plannedWalk) (more bool) {
	h := &m.house
	h.looked += w.Looked
	m.ages.mergeAll(&w.ages)
	if h.steps == w.steps {
		h.steps++
		h.Round = w.Round
		if w.ReadUpTo != 0 {
			m.ages.unread = w.ReadUpTo
		}
	}
	return len(h.Stretches) > 0 || len(w.Counts) == txn.PruneStep || h.orphans || len(h.sweeps) > 0
}

// plannedWalk is a step of the walk through the log, with what memory knew when it was planned.
type plannedWalk struct {
	txn.PruneWalk
	steps   int
	orphans bool
	ages    ages // of what the step has seen and kept
}

// planWalk says where the round goes on, or begins one. A round that goes on takes in what is past its retention by now:
// it may have been left long ago, and when it ends, Prune says that there is no more.
func (m *memory) planWalk(r store.Retention) *plannedWalk {
	h, now := &m.house, m.now()
	if len(h.Stretches) == 0 {
		h.steps++
		h.Stretches = append(m.ages.due(r, now), m.ages.toRead()...)
		h.All, h.orphans = h.orphans, false
	} else if due := m.ages.due(r, now); len(due) > 0 {
		h.steps++ // a step that was planned before knows nothing of them
		h.Stretches = slices.Concat(h.Stretches, due)
	}
	w := &plannedWalk{steps: h.steps, orphans: h.orphans, ages: ages{shift: m.ages.shift}}
	w.PruneWalk = txn.PruneWalk{Retention: r, Round: h.Round, Finished: w.ages.noteFinished}
	return w
}

// want asks for the watermark to rise to an event at least. Rows above it must not go: without them, their deliveries
// would be pending again.
func (m *memory) want(seq uint64) {
	m.wanted = max(m.wanted, seq)
}
