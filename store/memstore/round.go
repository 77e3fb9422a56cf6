package memstore

import (
	"container/list"
	"time"

	"github.com/outhook/outhook/store"
)

// round is one Claim's way round the rings. A subscription that is at its limit is passed over and keeps its place; one
// that something is taken of goes to the end of its ring.
type round struct {
	store *Store
	req   store.ClaimRequest
	next  [classes]*list.Element // who is looked at next in each ring; nil at its end
}

func (s *Store) newRound(req store.ClaimRequest) *round {
	r := &round{store: s, req: req}
	for c := range s.rings.of {
		r.next[c] = s.rings.of[c].Front()
	}
	return r
}

// take takes the next delivery out of its subscription's queue. It is nil when the request allows no more.
func (r *round) take(now time.Time) *delivery {
	rings := &r.store.rings
	for range classes {
		c := rings.turn
		rings.turn = (c + 1) % classes
		if d := r.takeOf(c, now); d != nil {
			return d
		}
	}
	return nil
}

// takeOf is take for one class.
func (r *round) takeOf(c class, now time.Time) *delivery {
	for r.next[c] != nil {
		sub := r.next[c].Value.(*subscription)
		if r.allows(sub) {
			d := sub.take()
			r.next[c] = r.pass(sub, now)
			return d
		}
		r.next[c] = r.next[c].Next()
	}
	return nil
}

// pass moves sub, of which something was taken, to the end of its ring, or out when that was all. It returns who comes
// next.
func (r *round) pass(sub *subscription, now time.Time) *list.Element {
	next := sub.seat.Next()
	sub.ring.MoveToBack(sub.seat)
	if next == nil {
		next = sub.seat
	}
	if r.store.settle(sub, now); sub.ring == nil && next.Value == sub {
		return nil
	}
	return next
}

// allows reports whether the limits let one more of sub be leased.
func (r *round) allows(sub *subscription) bool {
	if limit := r.req.Limit(&sub.health); limit > 0 && sub.leased >= limit {
		return false
	}
	leased := &r.store.leasedOf
	switch classOf(&sub.health) {
	case proven:
		return true
	case failing:
		if r.req.Failing > 0 && leased[failing] >= r.req.Failing {
			return false
		}
	}
	return r.req.Unproven <= 0 || leased[untried]+leased[failing] < r.req.Unproven
}
