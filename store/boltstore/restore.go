package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/record"

// restore brings memory up to the file when the store is opened: who has a backlog, which is not read, and the events
// above the watermark, which are.
func (s *Store) restore(t *txn) error {
	s.at = t.pending.Watermark
	s.writer.lastEnqueued = t.lastEnqueued()
	orphans, err := t.metaNumber(metaOrphans)
	if err != nil {
		return err
	}
	s.house.orphans = orphans != 0
	if err := s.restoreErasures(t); err != nil {
		return err
	}
	s.ages = ages{shift: runShift}
	s.ages.readAgain(t.bucket(log).Sequence())
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

func (s *Store) restoreBacklogs(t *txn) error {
	c := t.bucket(backlogs).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		b, err := record.DecodeBacklog(k, v)
		if err != nil {
			return err
		}
		num := record.KeyNumber(k, 0)
		if b.Deleted {
			s.house.add(num)
			continue
		}
		q := s.queue(num)
		setBacklogOf(q, b)
		s.schedule.Restart(q, t.now)
		if len(b.Marks) > 0 {
			s.house.add(num)
		}
	}
	return nil
}

func (s *Store) restoreFresh(t *txn) error {
	key := record.Key1(t.pending.Watermark + 1)
	c := t.bucket(log).Cursor()
	for k, v := c.Seek(key[:]); k != nil; k, v = c.Next() {
		packed, err := record.DecodeRecipients(k, v)
		if err != nil {
			return err
		}
		if err := s.restoreEvent(t, record.KeyNumber(k, 0), packed); err != nil {
			return err
		}
	}
	return nil
}

// restoreEvent takes in the fresh deliveries of an event.
func (s *Store) restoreEvent(t *txn, seq uint64, packed []byte) error {
	count := 0
	var failed error
	err := record.Unpack(packed, func(num uint64) bool {
		count++
		key := record.Key2(num, seq)
		if t.get(deliveries, key[:]) != nil || s.schedule.Sub(num) == nil && !t.alive(num) {
			return true
		}
		q := s.queue(num)
		if q.Data.chunks && seq <= t.pending.Rising {
			var ok bool
			if ok, failed = t.pending.InChunk(num, seq); ok || failed != nil {
				return failed == nil
			}
		}
		s.schedule.AddImplicit(q, seq, t.now)
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	s.addSpan(seq, count)
	return nil
}
