package schedule

import "github.com/outhook/outhook/store"

// Inspection is what a Sub holds, for a store's own tests to compare with its records.
type Inspection struct {
	Implicit []ImplicitItem
	Windows  [windows]InspectedWindow
	Counted  int // leases that count against limits, counted one by one
}

// ImplicitItem is an entry of the implicit list that is not gone.
type ImplicitItem struct {
	Seq             uint64
	Taken, Canceled bool
}

// InspectedWindow is a copy of a window.
type InspectedWindow struct {
	Positions []Position
	UpTo      Position
	Complete  bool
}

// Inspect returns what q holds.
func (q *Sub[Q, L]) Inspect() Inspection {
	var in Inspection
	for _, item := range q.implicit.items {
		if item&gone == 0 {
			in.Implicit = append(in.Implicit, ImplicitItem{item >> flagBits, item&taken != 0, item&canceled != 0})
		}
	}
	for i := range q.windows {
		w := &q.windows[i]
		in.Windows[i] = InspectedWindow{w.positions.all(), w.upTo, w.complete}
	}
	for _, l := range q.leases {
		if l.counted {
			in.Counted++
		}
	}
	return in
}

// Active reports whether deliveries of q may be claimed at all, as far as is known.
func (q *Sub[Q, L]) Active() bool { return q.known && q.active }

// Counted returns how many leases count against limits, by class, and how many may run out.
func (s *Schedule[Q, L]) Counted() (byClass [store.Classes]int, running int) {
	return s.leased, s.leases.Len()
}

// Leased returns how many leases count against limits, of the classes that share some.
func (s *Schedule[Q, L]) Leased() store.Leased {
	n := &s.leased
	return store.Leased{
		Unhealthy: n[store.ClassNew] + n[store.ClassFailing] + n[store.ClassSlow],
		Failing:   n[store.ClassFailing],
	}
}

// Postponed returns how many subscriptions are postponed.
func (s *Schedule[Q, L]) Postponed() int { return len(s.postpone.byNum) }
