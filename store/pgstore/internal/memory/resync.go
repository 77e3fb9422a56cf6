package memory

import "github.com/outhook/outhook/store/internal/schedule"

// BeginResync notes that what is pending is about to be read from a server that may not have the
// last of what was written. It returns the shares to read. Resync or EndResync follows.
func (m *Memory) BeginResync() (held []int32) {
	m.changed = make(map[Delivery]bool)
	return m.Held()
}

// EndResync ends what BeginResync has begun.
func (m *Memory) EndResync() { m.changed = nil }

// Resync takes in what a server has that may not have the last of what was written. Leases stay:
// the attempts are under way, whatever the server knows of them.
//
// What memory has and the server does not is left in the schedule. A claim reads what it hands out,
// and finds that it is not there.
func (m *Memory) Resync(l *Loaded, me, now int64) {
	// The server may give out numbers once more that memory has seen: of events that it has lost.
	m.lastSeq = 0
	for p := range m.publications {
		m.publications[p] = 0
	}
	var mine [Shares]bool
	for _, d := range l.Shares {
		sh := &m.shares[d.ID]
		mine[d.ID] = sh.isHeld() && d.Owner == me && d.Fence == sh.fence
	}
	m.Schedule.Subs(func(q *Queue) {
		if mine[ShareOf(q.Num)] {
			m.Schedule.Restart(q, now)
		}
	})
	for _, num := range l.Waiting {
		if mine[ShareOf(uint64(num))] {
			m.Schedule.Restart(m.Schedule.Ensure(uint64(num)), now)
		}
	}
	for _, d := range l.Rowless {
		m.lastSeq = max(m.lastSeq, d.Seq)
		if mine[ShareOf(d.Sub)] && !m.changed[d] {
			m.restore(d, now)
		}
	}
	m.EndResync()
}

// restore makes a delivery pending without a row, whatever memory has of it. A lease on one that
// had a row ends: its outcome would say that it is of a later attempt than the server knows of.
func (m *Memory) restore(d Delivery, now int64) {
	q := m.Schedule.Ensure(d.Sub)
	if next := q.ImplicitUp(d.Seq, 1); len(next) > 0 && next[0] == d.Seq {
		return
	}
	m.Schedule.Change(q, d.Seq, schedule.Change{EndLease: true}, now)
	m.Schedule.AddImplicit(q, d.Seq, now)
}
