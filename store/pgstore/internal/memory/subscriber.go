package memory

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/hostport"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Subscriber is what memory has of a subscription beside what the schedule knows.
type Subscriber struct {
	// Sub is the subscription, once it is read. It is replaced as a whole and never changed, so
	// claims can share what it points to.
	Sub *store.Subscription

	canceledTo uint64 // what became pending before this number is canceled
	closed     bool   // nothing is claimed: see State.Closed
}

// State is a subscription as the database has it.
type State struct {
	Sub        store.Subscription
	CanceledTo uint64
	Closed     bool // its tenant is not settled
	Health     store.Health
}

// SetState takes in a subscription that has changed; nil if it was deleted. One that has nothing
// pending is not in memory, and stays out: its state is read when it has something.
func (m *Memory) SetState(num uint64, st *State, now int64) {
	q := m.Schedule.Sub(num)
	switch {
	case q == nil:
	case st == nil:
		m.Schedule.Forget(q)
	default:
		q.Data.Sub, q.Data.closed = &st.Sub, st.Closed
		if st.CanceledTo > q.Data.canceledTo {
			q.Data.canceledTo = st.CanceledTo
			m.Schedule.Cancel(q, st.CanceledTo, now)
			m.Schedule.Restart(q, now)
		}
		m.Schedule.SetState(q, m.scheduleState(q, st), now)
	}
}

// Load hands over what the schedule lacks. st is the state of the subscription, if that is among
// it; nil then says that the subscription was deleted.
func (m *Memory) Load(lack *schedule.Lack, loaded schedule.Loaded, st *State, now int64) {
	q := m.Schedule.Sub(lack.Num)
	// The state may have been set while it was loaded: that one is newer.
	if !lack.State || q == nil || q.Known() {
		m.Schedule.Load(lack, loaded, now)
		return
	}
	if st == nil {
		// Each Lack is answered, also that of a queue that goes.
		m.Schedule.Load(lack, schedule.Loaded{}, now)
		m.Schedule.Forget(q)
		return
	}
	q.Data.Sub, q.Data.closed = &st.Sub, st.Closed
	if st.CanceledTo > q.Data.canceledTo {
		q.Data.canceledTo = st.CanceledTo
		q.CancelImplicit(st.CanceledTo)
	}
	state := m.scheduleState(q, st)
	loaded.State = &state
	m.Schedule.Load(lack, loaded, now)
}

// scheduleState returns what the schedule is to know of a subscription.
func (m *Memory) scheduleState(q *Queue, st *State) schedule.State {
	return schedule.State{
		Active: m.Claimable(q), Health: &st.Health,
		Tenant: st.Sub.Tenant, Host: hostport.Of(st.Sub.URL),
	}
}

// Withheld returns why nothing of a subscription that was read is claimed; empty if something may
// be.
func (s *Subscriber) Withheld() store.Wait { return withheld(s.Sub, s.closed) }

// Withheld is that of [Subscriber].
func (st *State) Withheld() store.Wait { return withheld(&st.Sub, st.Closed) }

// withheld is that of the subscription, unless its tenant is not settled.
func withheld(sub *store.Subscription, closed bool) store.Wait {
	if closed {
		return store.WaitPaused
	}
	return sub.Withheld()
}

// Claimable reports whether deliveries of a subscription may be claimed at all. It may have changed
// since the schedule has leased one.
func (m *Memory) Claimable(q *Queue) bool {
	return q.Data.Sub != nil && q.Data.Withheld() == "" && m.shareOf(q.Num).state == Owned
}
