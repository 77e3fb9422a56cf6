package boltstore

import (
	"context"
	"math"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// An event that many want is erased in two parts. One short transaction removes what the event
// carried and writes a mark, which makes all its deliveries erased: every reader applies it
// (txn.find). Then small steps bring the records of the deliveries in line with it, a few in each
// transaction, so that those who publish meanwhile wait for no more than one step. Erase takes all
// steps before it returns. If it can't, because its context ends or the process dies, Prune takes
// the rest; the mark is in the file.
//
// Until its step, a delivery that was pending stays in the counts of pending deliveries, in the
// indexes and in memory, where Claim passes it over, and those behind it in its key stay behind.

// erasing is what memory knows of an event that has a mark.
type erasing struct {
	underWay bool     // an Erase is at it
	reload   []uint64 // subscriptions with a row that can't be read, see reloadAfter
}

// markErased takes the mark of an event into memory. An Erase is at it.
func (m *memory) markErased(seq uint64) {
	if m.erasing == nil {
		m.erasing = make(map[uint64]*erasing)
	}
	m.erasing[seq] = &erasing{underWay: true}
	m.schedule.Bar(seq, m.now())
}

// unmarkErased takes in that the mark is gone.
func (m *memory) unmarkErased(seq uint64) {
	if e := m.erasing[seq]; e != nil {
		delete(m.erasing, seq)
		m.schedule.Unbar(seq)
		for _, num := range e.reload {
			m.reloadAfter(seq, num)
		}
	}
}

// reloadAfter makes Claim read again, once the event has no mark any more, which deliveries of a
// subscription have a row.
func (m *memory) reloadAfter(seq, num uint64) {
	if e := m.erasing[seq]; e != nil {
		e.reload = append(e.reload, num)
		return
	}
	if q := m.schedule.Sub(num); q != nil {
		m.schedule.ReloadRecorded(q, m.now())
	}
}

// firstErasing returns the lowest event that has a mark; a number above all if none has.
func (m *memory) firstErasing() uint64 {
	first := uint64(math.MaxUint64)
	for seq := range m.erasing {
		first = min(first, seq)
	}
	return first
}

// finishErasure takes the steps of an erasure until the last.
func (s *Store) finishErasure(ctx context.Context, seq uint64) (err error) {
	for done := false; !done && err == nil; {
		if err = s.check(ctx); err == nil {
			done, err = s.stepErasure(ctx, seq)
		}
	}
	if err != nil { // it is left to Prune
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.memory.erasing[seq]; e != nil {
			e.underWay = false
		}
	}
	return err
}

// stepErasure takes one step of an erasure. It is done if that was the last, or if there is none.
func (s *Store) stepErasure(ctx context.Context, seq uint64) (done bool, err error) {
	err = s.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
		done, err = t.StepErasure(seq)
		return err
	}})
	return done, err
}

// resumeErasure takes a step of an erasure that was cut off. It reports whether there was one.
func (s *Store) resumeErasure(ctx context.Context) (more bool, err error) {
	seq := uint64(0)
	s.mu.Lock()
	for other, e := range s.memory.erasing {
		if !e.underWay {
			seq = other
		}
	}
	s.mu.Unlock()
	if seq == 0 {
		return false, nil
	}
	_, err = s.stepErasure(ctx, seq)
	return true, err
}

// resumeErasures finishes all erasures that were cut off.
func (s *Store) resumeErasures(ctx context.Context) error {
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return err
		}
		var err error
		if more, err = s.resumeErasure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// restoreErasures takes the marks of the file into memory.
func (m *memory) restoreErasures(t *txn.Tx) error {
	all, err := t.Erasures.List()
	if err == nil && len(all) > 0 {
		m.erasing = make(map[uint64]*erasing, len(all))
		for _, e := range all {
			m.erasing[e.Seq] = new(erasing)
			m.schedule.Bar(e.Seq, t.Now)
		}
	}
	return err
}
