package boltstore

import "github.com/outhook/outhook/store"

// lease is a claim that is out. Leases live in memory: they end with the process.
type lease struct {
	queue *queue
	seq   uint64
	token uint64
	until int64
	spot  int // its position among the leases

	fresh   bool                // the delivery has no row
	event   *event              // if it is at hand, until Claim has read the delivery
	sub     *store.Subscription // as it was when the lease began, until Claim has read the delivery: the queue's may change
	expired bool                // it has run out, and nobody has claimed the delivery since
	counted bool                // it counts against limits
	sealed  bool                // a Finish is about to end it: it can't run out, and a success counts against no limit
	void    bool                // it has ended

	// Where the delivery goes when the lease runs out or is given back, unless it is fresh.
	chunked bool
	behind  bool
	place   place

	// Once Claim has read the delivery:
	eventID string
	key     uint64 // the hash of its key
	stamp   uint64 // what it was claimed as: when the file says another, the token is of no use
}

func (l *lease) time() int64    { return l.until }
func (l *lease) position() *int { return &l.spot }

// lease takes the delivery at a place for a caller.
func (s *Store) lease(q *queue, p place, from source, until int64) *lease {
	q.take(p, from)
	if old := q.leases[p.seq]; old != nil { // it has run out
		s.endLease(old)
	}
	s.lastToken++
	l := &lease{queue: q, sub: q.sub, seq: p.seq, token: s.lastToken, until: until, fresh: from == fromFresh || from == fromChunk, chunked: from == fromChunk, place: p}
	if q.leases == nil {
		q.leases = make(map[uint64]*lease)
	}
	q.leases[l.seq] = l
	s.tokens[l.token] = l
	s.countLease(l)
	return l
}

// countLease makes a lease count against limits and run out in time.
func (s *Store) countLease(l *lease) {
	s.leases.set(l)
	if l.counted {
		return
	}
	l.counted = true
	l.queue.leased++
	s.leased[l.queue.health.class()]++
}

// uncountLease undoes that, if it is so.
func (s *Store) uncountLease(l *lease) {
	s.leases.drop(l)
	if !l.counted {
		return
	}
	l.counted = false
	l.queue.leased--
	s.leased[l.queue.health.class()]--
}

// endLease makes a token worthless.
func (s *Store) endLease(l *lease) {
	s.uncountLease(l)
	l.void = true
	delete(s.tokens, l.token)
	if q := l.queue; q.leases[l.seq] == l {
		delete(q.leases, l.seq)
	}
}

// expire takes back the leases that have run out. Their tokens stay good until somebody claims the delivery again.
func (s *Store) expire(now int64) {
	for {
		l, ok := s.leases.first()
		if !ok || l.until > now {
			return
		}
		s.uncountLease(l)
		l.expired = true
		l.queue.putBack(l)
		s.settle(l.queue, now)
	}
}

// present returns the lease that a token is for; nil when the token is worth nothing.
func (s *Store) present(token uint64, subscriptionID, eventID string) *lease {
	l := s.tokens[token]
	if l == nil || l.sealed || l.eventID != eventID || l.queue.sub == nil || l.queue.sub.ID != subscriptionID {
		return nil
	}
	return l
}

// seal readies a lease for a Finish with the outcome. It returns nil when the outcome's token is worth nothing.
func (s *Store) seal(o *store.Outcome) *lease {
	l := s.present(o.Token, o.SubscriptionID, o.EventID)
	if l == nil {
		return nil
	}
	if o.State == store.Delivered {
		s.uncountLease(l)
	} else {
		s.leases.drop(l)
	}
	l.sealed = true
	if l.expired {
		l.expired = false
		l.queue.fresh.take(l.seq)
		l.queue.forget(l.seq)
	}
	return l
}

// unseal undoes seal, unless the lease has ended meanwhile.
func (s *Store) unseal(l *lease) {
	l.sealed = false
	if !l.void {
		s.countLease(l)
	}
}
