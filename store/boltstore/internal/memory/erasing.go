package memory

import (
	"math"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// erasing is what memory knows of an event that has a mark.
type erasing struct {
	UnderWay bool     // an Erase is at it
	reload   []uint64 // subscriptions with a row that can't be read, see reloadAfter
}

// beginErasure takes the mark of an event into memory. An Erase is at it.
func (m *Memory) beginErasure(seq uint64) {
	if m.Erasing == nil {
		m.Erasing = make(map[uint64]*erasing)
	}
	m.Erasing[seq] = &erasing{UnderWay: true}
	// Its deliveries are canceled for every reader, but stay listed until their step.
	m.Schedule.Bar(seq, m.now())
}

// endErasure takes in that the mark is gone.
func (m *Memory) endErasure(seq uint64) {
	if e := m.Erasing[seq]; e != nil {
		// First, or reloadAfter would only put them off again.
		delete(m.Erasing, seq)
		m.Schedule.Unbar(seq)
		for _, num := range e.reload {
			m.reloadAfter(seq, num)
		}
	}
}

// reloadAfter makes Claim read again, once the event has no mark any more, which deliveries of a
// subscription have a row.
func (m *Memory) reloadAfter(seq, num uint64) {
	if e := m.Erasing[seq]; e != nil {
		e.reload = append(e.reload, num)
		return
	}
	if q := m.Schedule.Sub(num); q != nil {
		m.Schedule.ReloadRecorded(q, m.now())
	}
}

// firstErasing returns the lowest event that has a mark; a number above all if none has.
func (m *Memory) firstErasing() uint64 {
	first := uint64(math.MaxUint64)
	for seq := range m.Erasing {
		first = min(first, seq)
	}
	return first
}

// restoreErasures takes the marks of the file into memory.
func (m *Memory) restoreErasures(t *txn.Tx) error {
	all, err := t.Erasures.List()
	if err == nil && len(all) > 0 {
		m.Erasing = make(map[uint64]*erasing, len(all))
		for _, e := range all {
			// Not under way: no call of this process is at it, so Prune takes the rest.
			m.Erasing[e.Seq] = new(erasing)
			m.Schedule.Bar(e.Seq, t.Now)
		}
	}
	return err
}
