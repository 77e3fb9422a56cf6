package schedule

import (
	"fmt"
	"slices"
)

// Check returns what is wrong inside the schedule: what its methods rely on and can't be seen from
// outside. loads is how many loads are on their way for each subscription.
func (s *Schedule[Q, L]) Check(loads map[uint64]int) error {
	if n := s.idle.Len(); n > s.maxIdle {
		return fmt.Errorf("%d Subs are idle; the bound is %d", n, s.maxIdle)
	}
	var leased [len(s.leased)]int
	for num, q := range s.subs {
		if err := q.check(s, loads[num]); err != nil {
			return fmt.Errorf("subscription %d: %w", num, err)
		}
		leased[q.class] += q.leased
	}
	if leased != s.leased {
		return fmt.Errorf("the leases that count are %v by class, and the sums are %v", leased, s.leased)
	}
	return nil
}

func (q *Sub[Q, L]) check(s *Schedule[Q, L], loads int) error {
	switch {
	case q.loading != loads:
		return fmt.Errorf("%d loads are said to be on their way, and %d are", q.loading, loads)
	case q.loading == 0 && (q.changes.removed != nil || q.changes.added != nil):
		return fmt.Errorf("it keeps changes without a load")
	case (q.idle != nil) != (q.known && q.empty()):
		return fmt.Errorf("idle: %v, known: %v, empty: %v", q.idle != nil, q.known, q.empty())
	case q.ring == nil && q.known && q.active && q.wakeAt == 0 && q.blockedUntil() == 0:
		if _, ok := q.implicit.peek(); ok || q.windows[Packed].maybe() || q.windows[First].maybe() {
			return fmt.Errorf("it has something due, and is in no ring")
		}
	case q.ring != nil && q.empty():
		return fmt.Errorf("it is empty, and in a ring")
	}
	for i := range q.windows {
		w := &q.windows[i]
		all := w.positions.all()
		switch {
		case len(all) != w.positions.size:
			return fmt.Errorf("a window counts %d positions and has %d", w.positions.size, len(all))
		case s.maxWindow > 0 && len(all) > s.maxWindow:
			return fmt.Errorf("a window has %d positions", len(all))
		case len(all) == 0 && w.positions.blocks != nil:
			return fmt.Errorf("an empty window holds memory")
		case !slices.IsSortedFunc(all, Position.Compare):
			return fmt.Errorf("a window is not in order: %v", all)
		case len(all) > 0 && !w.complete && all[len(all)-1].Compare(w.upTo) > 0:
			return fmt.Errorf("a window has more than it knows to be complete: %v, up to %v", all, w.upTo)
		}
	}
	counted := 0
	for _, l := range q.leases {
		if l.counted {
			counted++
		}
		if l.ended || s.tokens[l.Token] != l {
			return fmt.Errorf("it has a lease that has ended")
		}
	}
	if counted != q.leased {
		return fmt.Errorf("%d leases count, and %d are said to", counted, q.leased)
	}
	return nil
}

// Now returns the latest time that the schedule was given.
func (s *Schedule[Q, L]) Now() int64 { return s.now }

// Loading returns how many Subs have a load on its way.
func (s *Schedule[Q, L]) Loading() (n int) {
	for _, q := range s.subs {
		if q.loading > 0 {
			n++
		}
	}
	return n
}
