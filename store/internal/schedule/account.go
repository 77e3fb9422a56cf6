package schedule

import "github.com/outhook/outhook/store/internal/schedule/internal/account"

// usualTime is what a lease of q is charged until it is known what it took.
func (q *Sub[Q, L]) usualTime() int64 { return max(int64(q.health.Latency), account.MinCharge) }

// rescale keeps the weights of all Subs and leases in range.
func (ts *turns[Q, L]) rescale(
	now int64, subs map[uint64]*Sub[Q, L], leases map[uint64]*Lease[Q, L],
) {
	factor, ok := ts.clock.Rescale(now)
	if !ok {
		return
	}
	for _, q := range subs {
		q.turn.used *= factor
	}
	for _, t := range ts.tenants {
		t.used *= factor
	}
	for _, l := range leases { // what is corrected at their end is worth less now
		l.charged *= factor
	}
	// What is very small may have become zero, and change places with what has used nothing.
	for _, t := range ts.tenants {
		for class := range t.byClass {
			t.byClass[class].subs.Reorder()
		}
	}
	for class := range ts.byClass {
		ts.byClass[class].Reorder()
	}
	for _, h := range ts.hosts {
		h.aside.Reorder()
	}
	ts.aside.Reorder()
}
