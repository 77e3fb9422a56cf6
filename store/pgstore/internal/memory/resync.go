package memory

import "github.com/outhook/outhook/store/internal/schedule"

// Doubt notes that the database may have something that memory was not told of: the answer to a
// COMMIT was lost, or what follows from it could not be read. Until memory was brought in line
// nothing is claimed (ownership.IsValid), and no low mark rises.
func (m *Memory) Doubt() { m.doubted = true }

// Doubted reports whether there was a Doubt since memory was brought in line.
func (m *Memory) Doubted() bool { return m.doubted }

// BeginResync notes that memory is about to be brought in line with the database: with a server
// that may not have the last of what was written, or after a Doubt. It returns the shares to read,
// and the subscriptions that memory knows of these. Resync or AbandonResync follows. another says
// that the server is another than the last.
func (m *Memory) BeginResync(another bool) (held []int32, nums []int64) {
	if another {
		m.server++
	}
	// A Doubt from now on is about what may not be in what is read.
	m.doubted = false
	m.changed = make(map[Delivery]bool)
	m.Schedule.Subs(func(q *Queue) { nums = append(nums, int64(q.Num)) })
	return m.Held(), nums
}

// Server says which server is the present one, of those that there were. What memory is told of a
// transaction that waited for no standby, it is told with the Server of before it began: see Since.
func (m *Memory) Server() int { return m.server }

// Since goes before what memory is told of a transaction that began when the server was another, if
// it did. That one had it, and this one may not: what was read of this one, or is being read, must
// be read again. A caller can be as late as that if the machine has more to do than it can.
func (m *Memory) Since(server int) {
	if server != m.server {
		m.Doubt()
	}
}

// AbandonResync ends what BeginResync has begun: the database could not be read.
func (m *Memory) AbandonResync() { m.changed, m.doubted = nil, true }

// Resync takes in what the database has. Leases stay: the attempts are under way, whatever the
// database knows of them.
//
// What memory has and the server does not is left in the schedule. A claim reads what it hands out,
// and finds that it is not there.
func (m *Memory) Resync(l *Loaded, me, now int64) {
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
	m.changed = nil
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
