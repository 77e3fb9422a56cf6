package schedule

import "github.com/outhook/outhook/store"

// rings are the Subs that have something due, by class, each in the order in which their turns
// come.
//
// A Sub that has as many leases as it may is kept aside, with its turn: or else each claim would
// look again at all that are at their limit. It comes back when a lease of it ends, its health
// changes, or a claim has other limits. So it is known of each Sub aside, without looking, that the
// limits of the last claim keep it back.
type rings[Q, L any] struct {
	byClass  [store.Classes]ring[Q, L]
	next     store.Class // whose turn it is
	lastTurn int64

	aside  ring[Q, L] // of all classes
	limits limits     // that keep those back
}

// ring has the Sub on top whose turn it is.
type ring[Q, L any] = timeHeap[*turn[Q, L]]

// turn says when a Sub has its turn: the lowest number comes first.
type turn[Q, L any] struct {
	sub    *Sub[Q, L]
	number int64
	pos    int
}

func (t *turn[Q, L]) time() int64 { return t.number }
func (t *turn[Q, L]) index() *int { return &t.pos }

// limits are what the limit of a Sub depends on beside its health.
type limits struct{ perSubscription, breakerThreshold int }

// enter gives q a turn after all others of its class, unless it has one. It reports whether it had
// none.
func (rs *rings[Q, L]) enter(q *Sub[Q, L]) bool {
	ring := &rs.byClass[q.class]
	if q.ring == ring || q.ring == &rs.aside {
		return false
	}
	rs.leave(q)
	rs.lastTurn++
	q.turn.number, q.ring = rs.lastTurn, ring
	ring.set(&q.turn)
	return true
}

// leave takes q out.
func (rs *rings[Q, L]) leave(q *Sub[Q, L]) {
	if q.ring != nil {
		q.ring.drop(&q.turn)
		q.ring = nil
	}
}

// pass makes the next turn of q come after those of all others of its class, if it has one.
func (rs *rings[Q, L]) pass(q *Sub[Q, L]) {
	if q.ring != nil {
		rs.lastTurn++
		q.turn.number = rs.lastTurn
		q.ring.set(&q.turn)
	}
}

// setAside keeps q from being looked at, because it is at its limit.
func (rs *rings[Q, L]) setAside(q *Sub[Q, L]) { rs.move(q, &rs.aside) }

// readmit lets q be looked at again, in its old turn.
func (rs *rings[Q, L]) readmit(q *Sub[Q, L]) {
	if q.ring == &rs.aside {
		rs.move(q, &rs.byClass[q.class])
	}
}

func (rs *rings[Q, L]) move(q *Sub[Q, L], to *ring[Q, L]) {
	rs.leave(q)
	q.ring = to
	to.set(&q.turn)
}

// use readies the rings for a request: what other limits have kept back is looked at again.
func (rs *rings[Q, L]) use(l limits) {
	rs.limits = l
	for t, ok := rs.aside.first(); ok; t, ok = rs.aside.first() {
		rs.readmit(t.sub)
	}
}

// any reports whether any Sub is in the rings.
func (rs *rings[Q, L]) any() bool {
	n := rs.aside.Len()
	for class := range rs.byClass {
		n += rs.byClass[class].Len()
	}
	return n > 0
}
