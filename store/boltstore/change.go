package boltstore

import (
	"math"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// What follows brings memory up to what has become of a subscription.

// setSubscription takes in a new version, which claims may share.
func (m *memory) setSubscription(num uint64, sub *store.Subscription) {
	if q := m.schedule.Sub(num); q != nil {
		q.Data.sub = sub
		m.schedule.SetActive(q, active(sub), m.now())
	}
}

// canceledAll takes in the last of the marks: all that was pending before it is canceled.
func (m *memory) canceledAll(num uint64, marks []record.Mark) {
	m.house.add(num)
	q := m.schedule.Sub(num)
	if q == nil {
		return
	}
	q.Data.stored.forget()
	q.Data.marks = marks // what else the transaction has done is to follow them
	pin(q)
	m.schedule.Cancel(q, marks[len(marks)-1].Seq, m.now())
}

// deleted takes in that a subscription is gone.
func (m *memory) deleted(num uint64) {
	m.house.add(num)
	if q := m.schedule.Sub(num); q != nil {
		for _, seq := range q.ImplicitUpTo(math.MaxUint64 >> 3) { // only memory knows of these
			m.ages.merge(seq, age{orphaned: true})
		}
		m.schedule.Forget(q)
	}
	m.schedule.Postpone(num, 0, m.now())
}
