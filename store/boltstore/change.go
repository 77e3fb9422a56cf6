package boltstore

import "github.com/outhook/outhook/store"

// What follows brings memory up to what has become of a subscription.

// setSubscription takes in a new version, which claims may share.
func (s *Store) setSubscription(num uint64, sub *store.Subscription) {
	if q := s.queues[num]; q != nil && q.known {
		q.sub = sub
		s.settle(q, s.now())
	}
}

// canceledAll takes in the last of the marks: all that was pending before it is canceled.
func (s *Store) canceledAll(num uint64, marks []mark) {
	s.house.add(num)
	q := s.queues[num]
	if q == nil {
		return
	}
	q.marks = marks // what else the transaction has done is to heed them
	seq := marks[len(marks)-1].seq
	s.endLeases(q)
	q.fresh.cancel(seq)
	q.chunked.restart(place{0, seq}) // what is not canceled comes after that
	q.started.restart(place{})
	q.retries.restart(place{})
	s.settle(q, s.now())
}

// deleted takes in that a subscription is gone.
func (s *Store) deleted(num uint64) {
	s.house.add(num)
	s.pauses.set(num, 0)
	if q := s.queues[num]; q != nil {
		for _, item := range q.fresh.items { // only memory knows of these
			s.ages.merge(item>>freshBits, age{orphaned: true})
		}
		s.endLeases(q)
		s.drop(q)
	}
}

// endLeases makes all tokens of a queue worthless.
func (s *Store) endLeases(q *queue) {
	for _, l := range q.leases {
		s.endLease(l)
	}
}
