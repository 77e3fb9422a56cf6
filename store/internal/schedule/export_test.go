package schedule

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
)

// Check returns what is wrong inside the schedule: what its methods rely on and can't be seen from
// outside. loads is how many loads are on their way for each subscription.
func (s *Schedule[Q, L]) Check(loads map[uint64]int) error {
	if n := s.idle.list.Len(); n > s.idle.max {
		return fmt.Errorf("%d Subs are idle; the bound is %d", n, s.idle.max)
	}
	var leased [len(s.leased)]int
	for num, q := range s.byNum {
		if err := q.check(s, loads[num]); err != nil {
			return fmt.Errorf("subscription %d: %w", num, err)
		}
		leased[q.class] += q.leased
	}
	if leased != s.leased {
		return fmt.Errorf("the leases that count are %v by class, and the sums are %v", leased, s.leased)
	}
	return s.checkTurns()
}

// checkTurns returns what is wrong with the turns.
func (s *Schedule[Q, L]) checkTurns() error {
	ts := &s.turns
	type sums struct{ subs, leased int }
	due, tenants, hosts := 0, make(map[*tenant[Q, L]]sums), make(map[*host[Q, L]]sums)
	for num, q := range s.byNum {
		if q.turn.where != nowhere {
			due++
		}
		if q.tenant != nil {
			t := tenants[q.tenant]
			tenants[q.tenant] = sums{t.subs + 1, t.leased + q.leased}
		}
		if q.host != nil {
			h := hosts[q.host]
			hosts[q.host] = sums{h.subs + 1, h.leased + q.leased}
		}
		if (q.tenant == nil) != (!q.known && q.turn.where == nowhere) && q.known {
			return fmt.Errorf("subscription %d is known, and has no tenant", num)
		}
		if q.turn.where == atHostLimit && !q.host.full(&ts.limits) &&
			q.host.aside.Len() <= maxReadmitted {
			return fmt.Errorf("subscription %d is kept back by its host, which has room", num)
		}
		if q.turn.used < 0 {
			return fmt.Errorf("subscription %d has used %v", num, q.turn.used)
		}
	}
	if due != ts.count {
		return fmt.Errorf("%d Subs have a turn, and %d are said to", due, ts.count)
	}
	if len(tenants) != len(ts.tenants) || len(hosts) != len(ts.hosts) {
		return fmt.Errorf("%d tenants and %d hosts are kept, and Subs have %d and %d",
			len(ts.tenants), len(ts.hosts), len(tenants), len(hosts))
	}
	for t, want := range tenants {
		if got := (sums{t.subs, t.leased}); got != want {
			return fmt.Errorf("tenant %q counts %+v; it is %+v", t.name, got, want)
		}
		for class := range t.byClass {
			in := &t.byClass[class]
			if (in.pos > 0) != (in.subs.Len() > 0 && !t.aside) {
				return fmt.Errorf("tenant %q has %d Subs in class %d, is aside: %v, and is in its heap at %d",
					t.name, in.subs.Len(), class, t.aside, in.pos)
			}
			if !inOrder(&in.subs) || !inOrder(&ts.byClass[class]) {
				return fmt.Errorf("a heap of class %d is not in order", class)
			}
		}
	}
	for h, want := range hosts {
		if got := (sums{h.subs, h.leased}); got != want {
			return fmt.Errorf("host %q counts %+v; it is %+v", h.name, got, want)
		}
	}
	return nil
}

// inOrder reports whether no item of a heap is before the one above it, and each knows its index.
func inOrder[T heap.Item[T]](h *heap.Of[T]) bool {
	for i, item := range h.Items() {
		if *item.Index() != i+1 || i > 0 && item.Before(h.Items()[(i-1)/2]) {
			return false
		}
	}
	return true
}

func (q *Sub[Q, L]) check(s *Schedule[Q, L], loads int) error {
	switch {
	case q.loading != loads:
		return fmt.Errorf("%d loads are said to be on their way, and %d are", q.loading, loads)
	case q.loading == 0 && (q.changes.removed != nil || q.changes.added != nil):
		return fmt.Errorf("it keeps changes without a load")
	case (q.idle != nil) != (q.known && q.empty()):
		return fmt.Errorf("idle: %v, known: %v, empty: %v", q.idle != nil, q.known, q.empty())
	case q.turn.where == nowhere && q.known && q.active && q.wakeAt == 0 && q.blockedUntil() == 0:
		if _, ok := q.implicit.Peek(); ok || q.windows[order.Packed].Maybe() ||
			q.windows[order.First].Maybe() {
			return fmt.Errorf("it has something due, and has no turn")
		}
	case q.turn.where != nowhere && q.empty():
		return fmt.Errorf("it is empty, and has a turn")
	}
	for i := range q.windows {
		w := &q.windows[i]
		all := w.Positions()
		switch {
		case len(all) != w.Len():
			return fmt.Errorf("a window counts %d positions and has %d", w.Len(), len(all))
		case s.maxWindow > 0 && len(all) > s.maxWindow:
			return fmt.Errorf("a window has %d positions", len(all))
		case !slices.IsSortedFunc(all, order.Position.Compare):
			return fmt.Errorf("a window is not in order: %v", all)
		case len(all) > 0 && !w.Complete() && all[len(all)-1].Compare(w.UpTo()) > 0:
			return fmt.Errorf("a window has more than it knows to be complete: %v, up to %v", all, w.UpTo())
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
	for _, q := range s.byNum {
		if q.loading > 0 {
			n++
		}
	}
	return n
}
