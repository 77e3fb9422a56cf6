package memory

import (
	"math"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/hostport"
)

// What follows brings memory up to what has become of a subscription.

// setSubscription takes in a new version, which claims may share.
func (m *Memory) setSubscription(num uint64, sub *store.Subscription) {
	if q := m.Schedule.Sub(num); q != nil {
		m.SetRecord(q, sub)
		m.Schedule.SetActive(q, Active(sub) && !m.closed[sub.Tenant], m.now())
		m.Schedule.SetHost(q, hostport.Of(sub.URL), m.now())
	}
}

// setTenant takes in whether a tenant is closed. Of a queue whose record is not read yet, it is not
// known whose it is: what is being read of it now is read again.
func (m *Memory) setTenant(tenant string, closed bool) {
	if closed {
		m.closed[tenant] = true
	} else {
		delete(m.closed, tenant)
	}
	m.Schedule.Subs(func(q *Queue) {
		switch sub := q.Data.Sub; {
		case sub == nil:
			m.Schedule.SetActive(q, q.Active(), m.now())
		case sub.Tenant == tenant:
			m.Schedule.SetActive(q, Active(sub) && !closed, m.now())
		}
	})
}

// canceledAll takes in the last of the marks: all that was pending before it is canceled.
func (m *Memory) canceledAll(num uint64, marks []record.Mark) {
	m.Maintenance.addPurge(num)
	q := m.Schedule.Sub(num)
	if q == nil {
		return
	}
	q.Data.Oldest.forget()
	q.Data.Marks = marks // what else the transaction has done is to follow them
	pin(q)
	m.Schedule.Cancel(q, marks[len(marks)-1].Seq, m.now())
	m.tenants.recount(q)
}

// deleted takes in that a subscription is gone.
func (m *Memory) deleted(num uint64) {
	m.Maintenance.addPurge(num)
	if q := m.Schedule.Sub(num); q != nil {
		for _, seq := range q.ImplicitUpTo(math.MaxUint64 >> 3) { // only memory knows of these
			m.ages.merge(seq, age{orphaned: true})
		}
		m.Schedule.Forget(q)
	}
	m.Schedule.Postpone(num, 0, m.now())
}
