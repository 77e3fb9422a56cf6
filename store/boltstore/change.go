package boltstore

import (
	"math"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// What follows brings memory up to what has become of a subscription.

// setSubscription takes in a new version, which claims may share.
func (s *Store) setSubscription(num uint64, sub *store.Subscription) {
	if q := s.schedule.Sub(num); q != nil {
		s.numbers.set(q, sub)
		s.schedule.SetActive(q, active(sub), s.now())
		s.schedule.SetHost(q, schedule.HostOf(sub.URL), s.now())
	}
}

// canceledAll takes in the last of the marks: all that was pending before it is canceled.
func (s *Store) canceledAll(num uint64, marks []mark) {
	s.house.add(num)
	q := s.schedule.Sub(num)
	if q == nil {
		return
	}
	q.Data.stored.forget()
	q.Data.marks = marks // what else the transaction has done is to follow them
	pin(q)
	s.schedule.Cancel(q, marks[len(marks)-1].seq, s.now())
}

// deleted takes in that a subscription is gone.
func (s *Store) deleted(num uint64) {
	s.house.add(num)
	if q := s.schedule.Sub(num); q != nil {
		for _, seq := range q.ImplicitUpTo(math.MaxUint64 >> 3) { // only memory knows of these
			s.ages.merge(seq, age{orphaned: true})
		}
		s.schedule.Forget(q)
	}
	s.schedule.Postpone(num, 0, s.now())
}
