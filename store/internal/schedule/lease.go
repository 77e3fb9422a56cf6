package schedule

import (
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/account"
)

// Lease is a delivery that has been claimed. L is what the store keeps with it.
type Lease[Q, L any] struct {
	Sub   *Sub[Q, L]
	Seq   uint64 // the event
	Token uint64
	From  order.Source // where it was claimed from
	Data  L

	until int64
	pos   int // its index among the leases that can run out

	since   int64 // when it began to count, and what was charged for it then: see account
	charged float64

	expired bool // it has run out, and no other claim has taken the delivery since
	counted bool // it counts against limits
	ending  bool // its outcome is being recorded: it can't run out
	ended   bool

	// Where the delivery goes if the lease runs out or is given back, unless the implicit list has
	// it.
	home     order.Source
	blocked  bool
	position order.Position

	previous *Lease[Q, L] // one that had run out when this one was taken, for Withdraw
}

func (l *Lease[Q, L]) Before(o *Lease[Q, L]) bool { return l.until < o.until }
func (l *Lease[Q, L]) Index() *int                { return &l.pos }

// Ended reports whether the token is worth nothing any more.
func (l *Lease[Q, L]) Ended() bool { return l.ended }

// Expired reports whether it has run out: its delivery is free again.
func (l *Lease[Q, L]) Expired() bool { return l.expired }

// Position returns where the delivery stands in the store's order.
func (l *Lease[Q, L]) Position() order.Position { return l.position }

// lease takes a delivery of q for the caller of a claim.
func (r *Round[Q, L]) lease(q *Sub[Q, L], p order.Position, from order.Source) *Lease[Q, L] {
	s := r.schedule
	q.take(p, from)
	q.retryFirst = from != order.Retry
	old := q.leases[p.Seq]
	if old != nil { // it has run out
		s.endLease(old)
		old.previous = nil // or else all that ever ran out would stay reachable
	}
	q.lastLease = s.now
	l := s.issue(q, p, from, r.until)
	l.previous = old
	s.countLease(l)
	return l
}

// countLease makes a lease count against limits and run out in time.
func (s *Schedule[Q, L]) countLease(l *Lease[Q, L]) {
	s.running.Set(l)
	if l.counted {
		return
	}
	l.counted = true
	s.count(l.Sub, 1)
	l.since = s.now
	// Now, and not when it ends: or else one with nothing but slow endpoints would have all slots
	// before the first of its attempts has cost it anything.
	l.charged = s.turns.clock.Worth(l.Sub.usualTime(), s.now)
	s.turns.charge(l.Sub, l.charged)
}

// uncountLease undoes countLease. That makes room, which something may be waiting for.
func (s *Schedule[Q, L]) uncountLease(l *Lease[Q, L]) {
	s.running.Drop(l)
	if !l.counted {
		return
	}
	l.counted = false
	s.count(l.Sub, -1)
	// It was charged what an attempt usually takes. Now it is known what this one took.
	took := max(s.now-l.since, account.MinCharge)
	s.turns.charge(l.Sub, s.turns.clock.Worth(took, s.now)-l.charged)
	s.turns.leaseEnded(l.Sub)
	s.wake = s.wake || s.hasDue()
}

// endLease makes a token worthless.
func (s *Schedule[Q, L]) endLease(l *Lease[Q, L]) {
	s.uncountLease(l)
	s.revoke(l)
}

// EachLease calls f for each lease of q whose token is good, also those that have run out, in no
// order.
func (q *Sub[Q, L]) EachLease(f func(*Lease[Q, L])) {
	for _, l := range q.leases {
		f(l)
	}
}

// endLeases makes all tokens of q worthless.
func (s *Schedule[Q, L]) endLeases(q *Sub[Q, L]) {
	for _, l := range q.leases {
		s.endLease(l)
	}
}

// Expire takes back the leases that have run out. Their tokens stay good until another claim
// takes the delivery.
func (s *Schedule[Q, L]) Expire(now int64) {
	s.now = max(s.now, now)
	for {
		l, ok := s.running.First()
		if !ok || l.until > now {
			return
		}
		s.uncountLease(l)
		l.expired = true
		s.putBack(l)
		s.Reschedule(l.Sub, now)
	}
}

// putBack makes the delivery of a lease free again.
func (s *Schedule[Q, L]) putBack(l *Lease[Q, L]) {
	switch q := l.Sub; {
	case q.implicit.PutBack(l.Seq), l.blocked:
	case l.home == order.Implicit: // it was in the list, and is not: it has ended
	default:
		q.add(l.position, l.home, s.maxWindow)
	}
	s.wake = true
}

// Release gives a delivery back: it is free again, where it was.
func (s *Schedule[Q, L]) Release(l *Lease[Q, L], now int64) {
	s.now = max(s.now, now)
	if l.ended {
		return
	}
	s.endLease(l)
	if !l.expired { // or else it is back already
		s.putBack(l)
	}
	s.Reschedule(l.Sub, now)
}

// Withdraw gives a delivery back that was taken and has not been handed out: it is free again,
// where it was. A token that had run out before it was taken is good again.
func (s *Schedule[Q, L]) Withdraw(l *Lease[Q, L], now int64) {
	if l.ended {
		return
	}
	old := l.previous
	s.Release(l, now)
	if old != nil && !l.expired {
		s.restore(old)
	}
}

// Seal readies a lease for the recording of its outcome: it can't run out until Unseal, Release or
// Change. freesRoom says that the lease stops counting against limits now, and not only when its
// outcome is recorded.
func (s *Schedule[Q, L]) Seal(l *Lease[Q, L], freesRoom bool, now int64) {
	s.now = max(s.now, now)
	if freesRoom {
		s.uncountLease(l)
	} else {
		s.running.Drop(l)
	}
	l.ending = true
	if l.expired { // its holder is back before another has claimed the delivery, which must not be
		l.expired = false
		l.Sub.retake(l, s.maxWindow)
	}
}

// Unseal undoes Seal, unless the lease has ended meanwhile: its outcome was not recorded.
func (s *Schedule[Q, L]) Unseal(l *Lease[Q, L]) {
	l.ending = false
	if !l.ended {
		s.countLease(l)
		s.wake = true // it runs out again, and claims since Seal were not told when
	}
}

// End ends a lease whose delivery is not claimable any more.
func (s *Schedule[Q, L]) End(l *Lease[Q, L], now int64) {
	s.now = max(s.now, now)
	if l.ended {
		return
	}
	s.endLease(l)
	if l.expired {
		l.Sub.retake(l, s.maxWindow)
	} else if l.Sub.loading > 0 { // a snapshot that is being loaded may still have it
		l.Sub.changes.remove(l.Seq)
	}
	s.Reschedule(l.Sub, now)
}
