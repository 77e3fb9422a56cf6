package boltstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
)

// house is what memory knows of the housekeeping.
type house struct {
	sweeps  []*sweepState // of subscriptions with marks, or deleted
	orphans bool          // there may be events whose subscriptions are all deleted

	round  []stretch // what the walk through the log has yet to look at
	seq    uint64    // the event of the first of them where it goes on; 0 at its beginning
	target int       // how many of that event's subscriptions are done with
	kept   bool      // one of them is still needed
	all    bool      // no event is too young to be looked at

	steps  int // counts what has moved the walk, see moveOn
	looked int // how many events and deliveries all walks have looked at
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

// walkLog takes one step of a round through the log, which looks at the events that may have something past its
// retention. It looks in a transaction that reads, and writes only when there is something to do.
func (s *Store) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := s.planWalk(r)
	if err := s.read(ctx, w.look); err != nil {
		return false, err
	}
	ended := len(w.house.round) == 0 && w.house.all && !w.house.orphans // or else there are others by now
	if w.blocked != 0 || ended || len(w.rows)+len(w.events)+len(w.pastCounts) > 0 {
		s.want(w.blocked)
		if err := s.submit(ctx, &op{run: func(t *txn) error { return w.remove(t, ended) }}); err != nil {
			return false, err // the next step looks at the same again
		}
	}
	return s.moveOn(w), nil
}

// moveOn notes how far a step has come, and reports whether there is more to do. Prune may be called by several at once:
// a step that another has overtaken has removed what it did, and moves nothing.
func (s *Store) moveOn(w *logWalk) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.house
	h.looked += w.looked
	s.ages.mergeAll(&w.ages)
	if h.steps == w.house.steps {
		h.steps++
		h.round, h.seq, h.target, h.kept = w.house.round, w.house.seq, w.house.target, w.house.kept
		if w.read != 0 {
			s.ages.unread = w.read
		}
	}
	return len(h.round) > 0 || len(w.pastCounts) == pruneStep || h.orphans || len(h.sweeps) > 0
}

// planWalk says where the round goes on, or begins one. A round that goes on takes in what is past its retention by now:
// it may have been left long ago, and when it ends, Prune says that there is no more.
func (s *Store) planWalk(r store.Retention) *logWalk {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, now := &s.house, s.now()
	if len(h.round) == 0 {
		h.steps++
		h.round = append(s.ages.due(r, now), s.ages.toRead()...)
		h.all, h.orphans = h.orphans, false
	} else if due := s.ages.due(r, now); len(due) > 0 {
		h.steps++ // a step that was planned before knows nothing of them
		h.round = slices.Concat(h.round, due)
	}
	return &logWalk{retention: r, house: s.house, ages: ages{shift: s.ages.shift}}
}

// want asks for the watermark to rise to an event at least. Rows above it must not go: without them, their deliveries
// would be pending again.
func (s *Store) want(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = max(s.wanted, seq)
}
