package boltstore

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// add notes that a subscription is to be swept, from the beginning.
func (h *house) add(num uint64) {
	h.swept(num)
	h.begun++
	h.sweeps = append(h.sweeps, &txn.PurgeState{Num: num, ID: h.begun})
}

// progress notes how far a sweep has come, unless it has begun anew since.
func (h *house) progress(state txn.PurgeState) {
	for _, s := range h.sweeps {
		if s.Num == state.Num && s.ID == state.ID {
			*s = state
		}
	}
}

// swept notes that a subscription needs no sweeping any more.
func (h *house) swept(num uint64) {
	h.sweeps = slices.DeleteFunc(h.sweeps, func(s *txn.PurgeState) bool { return s.Num == num })
}

// planSweep returns the next step; nil when there is nothing to sweep.
func (m *memory) planSweep() *txn.Purge {
	if len(m.house.sweeps) == 0 {
		return nil
	}
	state := m.house.sweeps[0]
	q := m.schedule.Sub(state.Num)
	if q != nil && len(q.Data.marks) > 0 && state.UpTo == 0 {
		state.UpTo = q.Data.marks[len(q.Data.marks)-1].Seq
	}
	w := &txn.Purge{PurgeState: *state}
	if q != nil {
		w.Implicit = q.ImplicitUpTo(state.UpTo)
	}
	return w
}
