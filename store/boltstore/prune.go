package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// house is what memory knows of the housekeeping.
type house struct {
	sweeps  []*sweepState // of subscriptions with marks, or deleted
	orphans bool          // there may be events whose subscriptions are all deleted

	seq    uint64 // the event where the walk through the log goes on; 0 when it has not begun
	target int    // how many of that event's subscriptions are done with
	kept   bool   // one of them is still needed
	all    bool   // the walk looks at all events, not only at those that are old enough
}

// pruneStep bounds the records that one Prune changes.
const pruneStep = 1000

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
	if w := s.planSweep(); w != nil {
		return true, s.submit(ctx, &op{run: w.run})
	}
	return s.walkLog(ctx, r)
}

// walkLog takes one step of a walk through the log, from the oldest event to the first that is too young for anything of
// it to be past its retention. It looks in a transaction that reads, and writes only when there is something to do.
func (s *Store) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := s.planWalk(r)
	if err := s.read(w.look); err != nil {
		return false, err
	}
	ended := !w.more && w.house.all
	if w.blocked != 0 || ended || len(w.rows)+len(w.events)+len(w.slots) > 0 {
		s.want(w.blocked)
		if err := s.submit(ctx, &op{run: func(t *txn) error { return w.remove(t, ended) }}); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := &s.house; w.more {
		h.seq, h.target, h.kept = w.house.seq, w.house.target, w.house.kept
	} else {
		h.seq, h.target, h.kept = 0, 0, false
	}
	return w.more || len(w.slots) == pruneStep || s.house.orphans || len(s.house.sweeps) > 0, nil
}

// planWalk says where the walk goes on.
func (s *Store) planWalk(r store.Retention) *logWalk {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.house.seq == 0 {
		s.house.all, s.house.orphans = s.house.orphans, false
	}
	return &logWalk{retention: r, house: s.house}
}

// want asks for the watermark to rise to an event at least. Rows above it must not go: without them, their deliveries
// would be pending again.
func (s *Store) want(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = max(s.wanted, seq)
}
