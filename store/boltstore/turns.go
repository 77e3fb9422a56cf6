package boltstore

import (
	"container/list"

	"github.com/outhook/outhook/store"
)

// takeTurns goes round the rings and leases what it may.
func (c *claiming) takeTurns() error {
	s := c.store
	r := turns{claiming: c}
	for class := range s.rings {
		r.seats[class] = s.rings[class].Front()
	}
	until := after(c.now, c.req.Lease)
	for len(c.got)+len(c.chosen) < c.req.Max {
		q, p, from, err := r.next()
		if err != nil {
			return err
		}
		if q == nil {
			break
		}
		c.chosen = append(c.chosen, s.lease(q, p, from, until))
		r.pass(q)
	}
	return nil
}

// turns is one way round the rings. A queue that is at its limit is passed over and keeps its place; one that something
// is taken of goes to the end of its ring.
type turns struct {
	*claiming
	seats [classes]*list.Element // who is looked at next in each ring; nil at its end
	at    **list.Element
}

// next returns the next queue and what to take of it; nil when the request allows no more.
func (r *turns) next() (*queue, place, source, error) {
	s := r.store
	for range classes {
		class := s.turn
		s.turn = (class + 1) % classes
		if r.at = &r.seats[class]; !r.room(class) {
			continue
		}
		for *r.at != nil {
			q := (*r.at).Value.(*queue)
			if !r.allows(q) {
				*r.at = (*r.at).Next()
				continue
			}
			p, from, err := r.look(q)
			if err != nil || from != none {
				return q, p, from, err
			}
			*r.at = (*r.at).Next()
			s.settle(q, r.now) // there was nothing after all
		}
	}
	return nil, place{}, none, nil
}

// look returns what is next of q, loading what must be known for it. What is being erased is passed over: it is taken
// out of what memory knows to be free, once, and its place in the file goes with a step of the erasure.
func (r *turns) look(q *queue) (place, source, error) {
	for {
		if q.chunked.hungry() || q.started.hungry() || q.retries.hungry() {
			if err := r.beginRead(); err != nil {
				return place{}, none, err
			}
			if err := r.store.loadQueue(r.t, q); err != nil {
				return place{}, none, err
			}
		}
		p, from := q.next(r.now)
		if from == none || r.store.erasing[p.seq] == nil {
			return p, from, nil
		}
		q.fresh.take(p.seq)
		q.forget(p.seq)
	}
}

// pass moves the queue, of which something was taken, to the end of its ring, or out when that was all.
func (r *turns) pass(q *queue) {
	next := q.seat.Next()
	q.ring.MoveToBack(q.seat)
	if next == nil {
		next = q.seat
	}
	if r.store.settle(q, r.now); q.ring == nil && next.Value.(*queue) == q {
		next = nil
	}
	*r.at = next
}

// room reports whether the limits let one more of a class be leased.
func (c *claiming) room(of class) bool {
	leased := &c.store.leased
	if of == failing && c.req.Failing > 0 && leased[failing] >= c.req.Failing {
		return false
	}
	return of == proven || c.req.Unproven <= 0 || leased[untried]+leased[failing] < c.req.Unproven
}

// allows reports whether its own limit lets one more of q be leased.
func (c *claiming) allows(q *queue) bool {
	limit := c.req.Limit(&store.Health{Failures: q.health.failures, Recovering: q.health.recovering})
	return limit == 0 || q.leased < limit
}

// hand completes the claims that can be made, and gives up the others. A lease may have ended while it was read.
func (c *claiming) hand(claims []store.Claim, read []reading) {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	good := claims[:0]
	for i, l := range c.chosen {
		l.event, l.sub = nil, nil
		switch r := &read[i]; {
		case l.void:
			c.lost++
		case r.found == claimable:
			claim := &claims[i]
			l.eventID, l.key, l.stamp = claim.EventID, r.key, r.stamp
			claim.Subscription, claim.Health = *l.queue.sub, l.queue.health.record()
			good = append(good, *claim)
		case r.found == broken:
			c.lost++
			l.sealed = true
			s.uncountLease(l)
			c.damaged = append(c.damaged, l)
		default:
			c.lost++
			s.endLease(l)
			s.settle(l.queue, c.now)
		}
	}
	switch {
	case len(good) == 0:
	case len(c.got) == 0:
		c.got = good
	default:
		c.got = append(c.got, good...)
	}
}

// abandon gives up all that was chosen.
func (c *claiming) abandon() {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range c.chosen {
		if !l.void {
			s.endLease(l)
			l.queue.putBack(l)
			s.settle(l.queue, c.now)
		}
	}
}
