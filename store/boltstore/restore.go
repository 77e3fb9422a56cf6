package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// restore brings memory up to the file when the store is opened: who has a backlog, which is not read, and the events
// above the watermark, which are.
func (s *Store) restore(t *txn.Tx) error {
	s.at = t.Pending.Watermark
	s.writer.LastEnqueued = t.Events.LastEnqueued()
	orphans, err := t.MetaNumber(txn.MetaOrphans)
	if err != nil {
		return err
	}
	s.house.orphans = orphans != 0
	if err := s.restoreErasures(t); err != nil {
		return err
	}
	s.ages = ages{shift: runShift}
	s.ages.readAgain(t.Bucket(txn.BucketEvents).Sequence())
	if err := s.restoreBacklogs(t); err != nil {
		return err
	}
	if err := s.restoreFresh(t); err != nil {
		return err
	}
	s.schedule.Subs(func(q *queue) {
		if n := len(q.Data.marks); n > 0 {
			s.schedule.CancelImplicit(q, q.Data.marks[n-1].Seq)
		}
	})
	return nil
}

func (s *Store) restoreBacklogs(t *txn.Tx) error {
	return t.EachBacklog(func(num uint64, b *record.Backlog) {
		if b.Deleted {
			s.house.add(num)
			return
		}
		q := s.queue(num)
		setBacklogOf(q, b)
		s.schedule.Restart(q, t.Now)
		if len(b.Marks) > 0 {
			s.house.add(num)
		}
	})
}

func (s *Store) restoreFresh(t *txn.Tx) error {
	return t.EachImplicit(func(seq uint64, recipients int, nums []uint64) {
		for _, num := range nums {
			s.schedule.AddImplicit(s.queue(num), seq, t.Now)
		}
		s.addSpan(seq, recipients)
	})
}
