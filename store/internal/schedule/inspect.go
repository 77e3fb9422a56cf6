package schedule

import (
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/implicit"
)

// Inspection is what a Sub holds, for a store's own tests to compare with its records.
type Inspection struct {
	Implicit []implicit.Item
	Windows  [order.Windows]InspectedWindow
	Counted  int // leases that count against limits, counted one by one
}

// InspectedWindow is a copy of a window.
type InspectedWindow struct {
	Positions []order.Position
	UpTo      order.Position
	Complete  bool
}

// Inspect returns what q holds.
func (q *Sub[Q, L]) Inspect() Inspection {
	in := Inspection{Implicit: q.implicit.Items()}
	for i := range q.windows {
		w := &q.windows[i]
		in.Windows[i] = InspectedWindow{w.Positions(), w.UpTo(), w.Complete()}
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
