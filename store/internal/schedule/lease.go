package schedule

// Lease is a delivery that has been claimed. L is what the store keeps with it.
type Lease[Q, L any] struct {
	Sub   *Sub[Q, L]
	Seq   uint64 // the event
	Token uint64
	From  Source // where it was claimed from
	Data  L

	until int64
	pos   int // its index among the leases that can run out

	since   int64 // when it began to count, and what was charged for it then: see account
	charged float64

	expired bool // it has run out, and nobody has claimed the delivery since
	counted bool // it counts against limits
	ending  bool // its outcome is being recorded: it can't run out
	ended   bool

	// Where the delivery goes if the lease runs out or is given back, unless the implicit list has
	// it.
	home     Source
	blocked  bool
	position Position

	previous *Lease[Q, L] // one that had run out when this one was taken, for Withdraw
}

func (l *Lease[Q, L]) before(o *Lease[Q, L]) bool { return l.until < o.until }
func (l *Lease[Q, L]) index() *int                { return &l.pos }

// Ended reports whether the token is worth nothing any more.
func (l *Lease[Q, L]) Ended() bool { return l.ended }

// Position returns where the delivery stands in the store's order.
func (l *Lease[Q, L]) Position() Position { return l.position }

// lease takes a delivery of q for a caller.
func (s *Schedule[Q, L]) lease(q *Sub[Q, L], p Position, from Source, until int64) *Lease[Q, L] {
	q.take(p, from)
	q.retryFirst = from != Retry
	old := q.leases[p.Seq]
	if old != nil { // it has run out
		s.endLease(old)
		old.previous = nil
	}
	q.lastLease = s.now
	s.lastToken++
	l := &Lease[Q, L]{Sub: q, Seq: p.Seq, Token: s.lastToken, From: from, until: until, home: from, position: p, previous: old}
	if q.leases == nil {
		q.leases = make(map[uint64]*Lease[Q, L])
	}
	q.leases[l.Seq] = l
	s.tokens[l.Token] = l
	s.countLease(l)
	return l
}

// countLease makes a lease count against limits and run out in time.
func (s *Schedule[Q, L]) countLease(l *Lease[Q, L]) {
	s.leases.set(l)
	if l.counted {
		return
	}
	l.counted = true
	s.count(l.Sub, 1)
	l.since = s.now
	l.charged = s.turns.clock.worth(l.Sub.usualTime(), s.now)
	s.turns.charge(l.Sub, l.charged)
}

// count adds to how many leases of a Sub count, and of its class, tenant and host.
func (s *Schedule[Q, L]) count(q *Sub[Q, L], n int) {
	q.leased += n
	s.leased[q.class] += n
	if q.tenant != nil {
		q.tenant.leased += n
	}
	if q.host != nil {
		q.host.leased += n
	}
}

// uncountLease undoes countLease. That makes room, which something may be waiting for.
func (s *Schedule[Q, L]) uncountLease(l *Lease[Q, L]) {
	s.leases.drop(l)
	if !l.counted {
		return
	}
	l.counted = false
	s.count(l.Sub, -1)
	// It was charged what an attempt usually takes. Now it is known what this one took.
	took := max(s.now-l.since, minCharge)
	s.turns.charge(l.Sub, s.turns.clock.worth(took, s.now)-l.charged)
	s.turns.leaseEnded(l.Sub)
	s.wake = s.wake || s.hasDue()
}

// endLease makes a token worthless.
func (s *Schedule[Q, L]) endLease(l *Lease[Q, L]) {
	s.uncountLease(l)
	l.ended = true
	delete(s.tokens, l.Token)
	if q := l.Sub; q.leases[l.Seq] == l {
		delete(q.leases, l.Seq)
	}
}

// EachLease calls f for each lease of q whose token is good, also those that have run out, in no order.
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

// Expire takes back the leases that have run out. Their tokens stay good until somebody claims the
// delivery again.
func (s *Schedule[Q, L]) Expire(now int64) {
	s.now = max(s.now, now)
	for {
		l, ok := s.leases.first()
		if !ok || l.until > now {
			return
		}
		s.uncountLease(l)
		l.expired = true
		s.putBack(l)
		s.settle(l.Sub, now)
	}
}

// putBack makes the delivery of a lease free again.
func (s *Schedule[Q, L]) putBack(l *Lease[Q, L]) {
	switch q := l.Sub; {
	case q.implicit.putBack(l.Seq), l.blocked:
	case l.home == Implicit: // it was in the list, and is not: it has ended
	default:
		q.add(l.position, l.home, s.maxWindow)
	}
	s.wake = true
}

// Present returns the lease that a token is for; nil if the token is worth nothing.
func (s *Schedule[Q, L]) Present(token uint64) *Lease[Q, L] {
	if l := s.tokens[token]; l != nil && !l.ending {
		return l
	}
	return nil
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
	s.settle(l.Sub, now)
}

// Withdraw gives a delivery back that was taken and has not been handed out: it is free again, where it was. A token that had run out
// before it was taken is good again.
func (s *Schedule[Q, L]) Withdraw(l *Lease[Q, L], now int64) {
	if l.ended {
		return
	}
	old := l.previous
	s.Release(l, now)
	if old != nil && !l.expired {
		old.ended = false
		s.tokens[old.Token], l.Sub.leases[l.Seq] = old, old
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
		s.leases.drop(l)
	}
	l.ending = true
	if l.expired { // it is ours again
		l.expired = false
		l.Sub.implicit.take(l.Seq)
		s.forget(l.Sub, l.Seq, &l.position)
	}
}

// Unseal undoes Seal, unless the lease has ended meanwhile: its outcome was not recorded.
func (s *Schedule[Q, L]) Unseal(l *Lease[Q, L]) {
	l.ending = false
	if !l.ended {
		s.countLease(l)
		s.wake = true // it runs out again, of which the claims since Seal were not told
	}
}

// End ends a lease whose delivery is not claimable any more.
func (s *Schedule[Q, L]) End(l *Lease[Q, L], now int64) {
	s.now = max(s.now, now)
	if l.ended {
		return
	}
	s.endLease(l)
	if l.expired { // it is in a source again
		l.Sub.implicit.take(l.Seq)
		s.forget(l.Sub, l.Seq, &l.position)
	} else if l.Sub.loading > 0 { // a snapshot that is being loaded may still have it
		l.Sub.changes.remove(l.Seq)
	}
	s.settle(l.Sub, now)
}

// InFlight returns how many deliveries of q are leased; of all, if q is nil. A lease that has run
// out counts until Expire.
func (s *Schedule[Q, L]) InFlight(q *Sub[Q, L]) int {
	n := 0
	if q == nil {
		for _, l := range s.tokens {
			if !l.expired {
				n++
			}
		}
		return n
	}
	for _, l := range q.leases {
		if !l.expired {
			n++
		}
	}
	return n
}
