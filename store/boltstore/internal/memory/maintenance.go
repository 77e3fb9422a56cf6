package memory

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// addPurge notes that a subscription is to be purged, from the beginning. A purge that has begun
// before has passed records that a later mark cancels too. ID keeps its last step from being taken
// for one of the new purge.
func (h *Maintenance) addPurge(num uint64) {
	h.purged(num)
	h.begun++
	h.purges = append(h.purges, &effect.PurgeState{Num: num, ID: h.begun})
}

// progress notes how far a purge has come, unless it has begun anew since.
func (h *Maintenance) progress(state effect.PurgeState) {
	for _, s := range h.purges {
		if s.Num == state.Num && s.ID == state.ID {
			*s = state
		}
	}
}

// purged notes that a subscription needs no purge any more.
func (h *Maintenance) purged(num uint64) {
	h.purges = slices.DeleteFunc(h.purges, func(s *effect.PurgeState) bool { return s.Num == num })
}

// PlanPurge returns the next step; nil if there is nothing to purge.
func (m *Memory) PlanPurge() *txn.Purge {
	if len(m.Maintenance.purges) == 0 {
		return nil
	}
	// One after the other: the first is finished before the next begins.
	state := m.Maintenance.purges[0]
	q := m.Schedule.Sub(state.Num)
	// Kept in the state, so that all stages go by the same mark.
	if q != nil && len(q.Data.Marks) > 0 && state.UpTo == 0 {
		state.UpTo = q.Data.Marks[len(q.Data.Marks)-1].Seq
	}
	// A copy: the step changes its own, and memory learns of it by an effect when it has committed.
	w := &txn.Purge{PurgeState: *state}
	if q != nil {
		w.Implicit = q.ImplicitUpTo(state.UpTo)
	}
	return w
}

// Maintenance is what memory knows of what Prune has to do.
type Maintenance struct {
	purges  []*effect.PurgeState // of subscriptions with marks, or deleted
	begun   int                  // counts the purges
	orphans bool                 // there may be events whose subscriptions are all deleted

	scan.Round // through the log

	steps  int // counts what has moved the walk, see moveOn
	Looked int // how many events and deliveries all walks have looked at
}

// EndWalk notes how far a step has come, and reports whether there is more to do. Prune may be
// called by several at once: a step that another has overtaken has removed what it did, and moves
// nothing.
func (m *Memory) EndWalk(w *PlannedWalk) (more bool) {
	h := &m.Maintenance
	h.Looked += w.Looked
	m.ages.mergeAll(&w.ages)
	if h.steps == w.steps {
		h.steps++
		h.Round = w.Round
		if w.ReadUpTo != 0 {
			m.ages.unread = w.ReadUpTo
		}
	}
	return len(h.Stretches) > 0 || len(w.Counts) == txn.PruneStep || h.orphans || len(h.purges) > 0
}

// PlannedWalk is a step of the walk through the log, with what memory knew when it was planned.
type PlannedWalk struct {
	scan.PruneWalk
	steps   int
	Orphans bool
	ages    ages // of what the step has seen and kept
}

// PlanWalk says where the round goes on, or begins one. A round that goes on takes in what is past
// its retention by now: it may have been left long ago, and when it ends, Prune says that there is
// no more.
func (m *Memory) PlanWalk(r store.Retention) *PlannedWalk {
	h, now := &m.Maintenance, m.now()
	if len(h.Stretches) == 0 {
		h.steps++
		h.Stretches = append(m.ages.due(r, now), m.ages.toRead()...)
		h.All, h.orphans = h.orphans, false
	} else if due := m.ages.due(r, now); len(due) > 0 {
		h.steps++ // a step that was planned before knows nothing of them
		h.Stretches = slices.Concat(h.Stretches, due)
	}
	w := &PlannedWalk{steps: h.steps, Orphans: h.orphans, ages: ages{shift: m.ages.shift}}
	w.PruneWalk = scan.PruneWalk{Retention: r, Round: h.Round, Finished: w.ages.noteFinished}
	return w
}

// MayHaveUnlisted reports whether there may be events that no listing shows, because all of their
// subscriptions are deleted and Prune has yet to remove them. It may say so in vain.
func (m *Memory) MayHaveUnlisted() bool {
	h := &m.Maintenance
	// In this order they come about: a deletion begins a purge, which notes at its end that there
	// may be orphans, and the next round takes the note and looks at them.
	return len(h.purges) > 0 || h.orphans || len(h.Stretches) > 0
}

// RequireWatermark asks for the watermark to rise to an event at least. Rows above it must not go:
// without them, their deliveries would be pending again.
func (m *Memory) RequireWatermark(seq uint64) {
	m.required = max(m.required, seq)
}
