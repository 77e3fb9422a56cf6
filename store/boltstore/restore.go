package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// restore brings memory up to the file when the store is opened: who has a backlog, which is not read, and the events
// above the watermark, which are.
func (m *memory) restore(t *txn.Tx) error {
	m.at = t.Pending.Watermark
	orphans, err := t.MetaNumber(txn.MetaOrphans)
	if err != nil {
		return err
	}
	m.house.orphans = orphans != 0
	if err := m.restoreErasures(t); err != nil {
		return err
	}
	m.ages = ages{shift: runShift}
	m.ages.readAgain(t.Bucket(txn.BucketEvents).Sequence())
	if err := m.restoreBacklogs(t); err != nil {
		return err
	}
	if err := m.restoreFresh(t); err != nil {
		return err
	}
	m.schedule.Subs(func(q *queue) {
		if n := len(q.Data.marks); n > 0 {
			m.schedule.CancelImplicit(q, q.Data.marks[n-1].Seq)
		}
	})
	return nil
}

func (m *memory) restoreBacklogs(t *txn.Tx) error {
	return t.EachBacklog(func(num uint64, b *record.Backlog) {
		if b.Deleted {
			m.house.add(num)
			return
		}
		q := m.queue(num)
		setBacklogOf(q, b)
		m.schedule.Restart(q, t.Now)
		if len(b.Marks) > 0 {
			m.house.add(num)
		}
	})
}

func (m *memory) restoreFresh(t *txn.Tx) error {
	return t.EachImplicit(func(seq uint64, recipients int, nums []uint64) {
		for _, num := range nums {
			m.schedule.AddImplicit(m.queue(num), seq, t.Now)
		}
		m.addSpan(seq, recipients)
	})
}
