package memory

import (
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Restore brings memory up to the file when the store is opened: who has a backlog, which is not
// read, and the events above the watermark, which are. Backlogs come first: what is canceled of the
// implicit list is told by the marks that they have.
func (m *Memory) Restore(t *txn.Tx) error {
	m.at = t.Pending.Watermark
	states, err := t.TenantStates()
	if err != nil {
		return err
	}
	for tenant := range states {
		m.closed[tenant] = true
	}
	orphans, err := t.MetaNumber(buckets.MetaOrphans)
	if err != nil {
		return err
	}
	m.Maintenance.orphans = orphans != 0
	if err := m.restoreErasures(t); err != nil {
		return err
	}
	m.ages = ages{shift: runShift}
	m.ages.readAgain(t.Bucket(buckets.Events).Sequence())
	if err := m.restoreBacklogs(t); err != nil {
		return err
	}
	if err := m.restoreImplicit(t); err != nil {
		return err
	}
	m.Schedule.Subs(func(q *Queue) {
		if n := len(q.Data.Marks); n > 0 {
			q.CancelImplicit(q.Data.Marks[n-1].Seq)
		}
		m.tenants.recount(q)
	})
	return nil
}

// restoreBacklogs makes the queues of subscriptions that have something in rows or chunks, and
// notes what is to be purged.
func (m *Memory) restoreBacklogs(t *txn.Tx) error {
	return t.Pending.Backlogs.Each(func(num uint64, b *record.Backlog) {
		if b.Deleted {
			m.Maintenance.addPurge(num)
			return
		}
		q := m.ensure(num)
		setBacklogOf(q, b)
		m.Schedule.Restart(q, t.Now)
		if len(b.Marks) > 0 {
			m.Maintenance.addPurge(num)
		}
	})
}

// restoreImplicit reads the events above the watermark, which alone are read when the store is
// opened.
func (m *Memory) restoreImplicit(t *txn.Tx) error {
	return t.EachImplicit(func(seq uint64, recipients int, nums []uint64) {
		for _, num := range nums {
			m.Schedule.AddImplicit(m.ensure(num), seq, t.Now)
		}
		m.addSpan(seq, recipients)
	})
}
