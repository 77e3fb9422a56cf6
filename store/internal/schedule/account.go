package schedule

import "math"

// Turns go by slot time: the one that has used the least lately comes first, so that a slow
// endpoint pays for its own slowness. Each tenant and each Sub has an account of the time that its
// leases took, which decays: after accountHalfLife, half of it counts.
//
// An account that decays would have to be updated all the time, and heaps with it. Instead what is
// added weighs more the later it comes: a second of now is worth as much as two a half-life ago. So
// an account is a number that only changes when something is added, and the order of two accounts
// never changes by the passing of time alone.
const (
	accountHalfLife = 30e9 // nanoseconds

	// minCharge is what the quickest lease costs, in nanoseconds, so that endpoints which answer at
	// once take turns too.
	minCharge = 100_000

	// maxDoublings is how often weights double until all accounts are scaled down, which is every
	// few hours: a float64 has room for a thousand.
	maxDoublings = 500
)

// accountClock says what a time of now is worth.
type accountClock struct {
	epoch   int64 // when a nanosecond was worth 1
	started bool
}

// worth returns what a lease of d nanoseconds adds to an account.
func (c *accountClock) worth(d, now int64) float64 {
	if !c.started {
		c.epoch, c.started = now, true
	}
	return float64(d) * math.Exp2(float64(now-c.epoch)/accountHalfLife)
}

// rescale moves the epoch if weights have become large. It returns by what all accounts are to be
// multiplied, and whether they are.
func (c *accountClock) rescale(now int64) (factor float64, ok bool) {
	doublings := float64(now-c.epoch) / accountHalfLife
	if !c.started || doublings < maxDoublings {
		return 1, false
	}
	c.epoch = now
	return math.Exp2(-min(doublings, 2000)), true
}

// usualTime is what a lease of q is charged until it is known what it took.
func (q *Sub[Q, L]) usualTime() int64 { return max(int64(q.health.Latency), minCharge) }

// rescale keeps the weights of all Subs and leases in range.
func (ts *turns[Q, L]) rescale(
	now int64, subs map[uint64]*Sub[Q, L], leases map[uint64]*Lease[Q, L],
) {
	factor, ok := ts.clock.rescale(now)
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
