package memory

import "slices"

// Shares is how many shares subscriptions are dealt in: that of a subscription is its number modulo
// Shares. It is in the SQL too.
const Shares = 64

// ShareOf returns the share of a subscription.
func ShareOf(sub uint64) int32 { return int32(sub % Shares) }

// AllShares returns all of them.
func AllShares() []int32 {
	all := make([]int32, Shares)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// ShareState is how far a share is on its way to this replica or from it.
type ShareState int

const (
	Other   ShareState = iota // another replica's, or nobody's
	Loading                   // this replica's, but the schedule does not have it yet
	Owned
	Leaving // to be given up when its attempts under way have ended: nothing more is claimed of it
)

// share is what a replica knows of one of its shares.
type share struct {
	state ShareState
	fence int64
	low   uint64     // as it is in the database
	fed   []Delivery // published while the share is loading
}

// isHeld reports whether the schedule has the share.
func (sh *share) isHeld() bool { return sh.state == Owned || sh.state == Leaving }

func (m *Memory) shareOf(sub uint64) *share { return &m.shares[ShareOf(sub)] }

// Fence returns the fence of a share: the number that its owner raised when it took it.
func (m *Memory) Fence(share int32) int64 { return m.shares[share].fence }

// In lists the shares in one of the states.
func (m *Memory) In(states ...ShareState) (ids []int32) {
	for id := range m.shares {
		if slices.Contains(states, m.shares[id].state) {
			ids = append(ids, int32(id))
		}
	}
	return ids
}

// Held lists the shares that the schedule has.
func (m *Memory) Held() []int32 { return m.In(Owned, Leaving) }

// queuesOf calls f for each queue of a share.
func (m *Memory) queuesOf(id int32, f func(*Queue)) {
	m.Schedule.Subs(func(q *Queue) {
		if ShareOf(q.Num) == id {
			f(q)
		}
	})
}

// Drop forgets what is known of shares. Their leases end.
func (m *Memory) Drop(ids ...int32) {
	m.rowsGiven++
	for _, id := range ids {
		m.shares[id] = share{} // without the fence, a load that is under way is not installed
		var gone []*Queue      // forgetting changes what Subs goes through
		m.queuesOf(id, func(q *Queue) { gone = append(gone, q) })
		for _, q := range gone {
			m.Schedule.Forget(q)
		}
	}
}

// setLeaving begins or ends the handing over of a share. While it lasts nothing is claimed of the
// share.
func (m *Memory) setLeaving(id int32, leaving bool, now int64) {
	sh := &m.shares[id]
	if (sh.state == Leaving) == leaving {
		return
	}
	sh.state = Owned
	if leaving {
		sh.state = Leaving
	}
	m.queuesOf(id, func(q *Queue) { m.Schedule.SetActive(q, m.Claimable(q), now) })
}

// leasedOf returns how many deliveries of a share are leased.
func (m *Memory) leasedOf(id int32) (n int) {
	m.queuesOf(id, func(q *Queue) { n += m.Schedule.InFlight(q) })
	return n
}
