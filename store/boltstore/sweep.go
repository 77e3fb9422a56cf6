package boltstore

import (
	"slices"
)

// add notes that a subscription is to be swept, from the beginning.
func (h *house) add(num uint64) {
	h.swept(num)
	h.begun++
	h.sweeps = append(h.sweeps, &sweepState{num: num, begin: h.begun})
}

// progress notes how far a sweep has come, unless it has begun anew since.
func (h *house) progress(state sweepState) {
	for _, s := range h.sweeps {
		if s.num == state.num && s.begin == state.begin {
			*s = state
		}
	}
}

// swept notes that a subscription needs no sweeping any more.
func (h *house) swept(num uint64) {
	h.sweeps = slices.DeleteFunc(h.sweeps, func(s *sweepState) bool { return s.num == num })
}

// planSweep returns the next step; nil when there is nothing to sweep.
func (s *Store) planSweep() *sweeping {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.house.sweeps) == 0 {
		return nil
	}
	state := s.house.sweeps[0]
	q := s.schedule.Sub(state.num)
	if q != nil && len(q.Data.marks) > 0 && state.upTo == 0 {
		state.upTo = q.Data.marks[len(q.Data.marks)-1].Seq
	}
	w := &sweeping{sweepState: *state}
	if q != nil {
		w.fresh = q.ImplicitUpTo(state.upTo)
	}
	return w
}
