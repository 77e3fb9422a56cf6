package memory

import "github.com/outhook/outhook/store"

// numbersByID are the numbers of the subscriptions that memory has, so that a pause reads nothing
// from the file for one of them.
type numbersByID map[string]uint64

// drop forgets a subscription, unless its ID has been given to another since.
func (n numbersByID) drop(q *Queue) {
	if sub := q.Data.Sub; sub != nil && n[sub.ID] == q.Num {
		delete(n, sub.ID)
	}
}

// SetRecord makes the record of a subscription what was loaded or stored; nil if it can't be read.
func (m *Memory) SetRecord(q *Queue, sub *store.Subscription) {
	m.numbers.drop(q)
	q.Data.Sub = sub
	if sub != nil {
		m.numbers[sub.ID] = q.Num
		m.tenants.learn(q, sub.Tenant)
	}
}

// Number returns the number of a subscription, if memory has it.
func (m *Memory) Number(id string) (num uint64, ok bool) {
	num, ok = m.numbers[id]
	return num, ok
}

// Numbers returns of how many subscriptions memory knows the number.
func (m *Memory) Numbers() int { return len(m.numbers) }
