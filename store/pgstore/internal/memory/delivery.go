package memory

import "github.com/outhook/outhook/store/internal/schedule"

// Delivery names a delivery by the numbers of its subscription and its event.
type Delivery struct{ Sub, Seq uint64 }

// Change is what has become of a delivery.
type Change struct {
	Delivery
	Pending  bool
	Blocked  bool  // an earlier delivery of its key is pending
	Due      int64 // as the database has it: see PositionOf
	EndLease bool
}

// Feed takes in a first attempt that has no row. One of a share that is being loaded waits until
// the share is: the load may have it too.
func (m *Memory) Feed(d Delivery, now int64) {
	m.lastSeq = max(m.lastSeq, d.Seq)
	switch sh := m.shareOf(d.Sub); sh.state {
	case Owned, Leaving:
		m.Schedule.AddImplicit(m.Schedule.Ensure(d.Sub), d.Seq, now)
	case Loading:
		sh.fed = append(sh.fed, d)
	}
}

// Apply takes in what has become of a delivery. If its share is not this replica's, nothing is
// noted: a load that is under way, or one to come, reads it.
func (m *Memory) Apply(c Change, now int64) {
	m.lastSeq = max(m.lastSeq, c.Seq)
	if !m.shareOf(c.Sub).isHeld() {
		return
	}
	if c.Pending {
		m.rowsGiven++
	}
	if m.changed != nil {
		m.changed[c.Delivery] = true
	}
	q := m.Schedule.Sub(c.Sub)
	if q == nil {
		if !c.Pending {
			return // a queue made for it would have its state read for nothing
		}
		q = m.Schedule.Ensure(c.Sub)
	}
	m.Schedule.Change(q, c.Seq, schedule.Change{
		Pending: c.Pending, Blocked: c.Blocked, EndLease: c.EndLease,
		Position: PositionOf(c.Due, c.Seq),
	}, now)
}

// Present returns the lease that a token is for; nil if the token is void.
func (m *Memory) Present(token uint64, subscriptionID, eventID string) *Lease {
	l := m.Schedule.Present(token)
	if l == nil || l.Data.EventID != eventID {
		return nil
	}
	if sub := l.Sub.Data.Sub; sub == nil || sub.ID != subscriptionID {
		return nil
	}
	return l
}

// Leased returns those of some deliveries that are leased.
func (m *Memory) Leased(deliveries []Delivery, now int64) (leased []Delivery) {
	m.Schedule.Expire(now)
	for _, d := range deliveries {
		if q := m.Schedule.Sub(d.Sub); q != nil && q.Busy(d.Seq) {
			leased = append(leased, d)
		}
	}
	return leased
}

// InFlight returns how many deliveries of a subscription are leased; 0 stands for all.
func (m *Memory) InFlight(sub uint64, now int64) int {
	m.Schedule.Expire(now)
	if sub == 0 {
		return m.Schedule.InFlight(nil)
	}
	if q := m.Schedule.Sub(sub); q != nil {
		return m.Schedule.InFlight(q)
	}
	return 0
}
