package pending

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

// step does one random operation, on the set and on the model.
func (m *model) step() {
	m.clock++
	switch n := m.rand.IntN(100); {
	case n < 30:
		m.enqueue()
	case n < 55:
		m.finish()
	case n < 65:
		m.requeue()
	case n < 71:
		m.cancelAll()
	case n < 77:
		m.purge()
	case n < 81:
		m.erase()
	case n < 90:
		m.spill()
	case n < 95:
		m.trim()
	default:
		m.prune()
	}
}

// enqueue stores an event for some of the subscriptions, often with a key.
func (m *model) enqueue() {
	m.last = "enqueue"
	m.seq++
	key := uint64(m.rand.IntN(4)) // 0 is none
	nums := slices.DeleteFunc(slices.Clone(m.nums), func(uint64) bool {
		return m.rand.IntN(4) == 0
	})
	m.recipients[m.seq] = nums
	for _, num := range nums {
		m.deliveries[ID{num, m.seq}] = &modelState{key: key, state: store.Pending, asOf: m.seq}
		m.implicit[num][m.seq] = true // a Change takes it out
	}
	m.transact(func(s *Set) error {
		for _, num := range nums {
			if key == 0 {
				continue
			}
			id := ID{num, m.seq}
			blocked, err := s.AddKeyed(id, key)
			if err != nil || !blocked {
				if err != nil {
					return err
				}
				continue
			}
			row := record.Row{State: store.Pending, AsOf: m.seq, KeyHash: key, Blocked: true}
			if err := s.Create(id, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// change makes a delivery something else.
func (m *model) change(id ID, edit func(d *Delivery)) {
	m.transact(func(s *Set) error {
		was, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
		if err != nil || !ok {
			return fmt.Errorf("%v was found: %v, %w", id, ok, err)
		}
		is := was
		edit(&is)
		return s.Transition(id, was, is, true)
	})
}

// finish ends a pending delivery, or has it tried again later.
func (m *model) finish() {
	m.last = "finish"
	id, ok := m.some(func(d *modelState) bool { return d.state == store.Pending })
	if !ok {
		return
	}
	d := m.deliveries[id]
	retry := m.rand.IntN(3) == 0
	d.attempts++
	d.due, d.atOnce = 0, 0
	switch {
	case !retry:
		d.state = store.Delivered
	case m.rand.IntN(3) == 0:
		m.last, d.due, d.atOnce = "park", m.clock, order.Parked(d.attempts)
	default:
		m.last, d.due = "retry", m.clock+int64(m.rand.IntN(50))
	}
	m.change(id, func(is *Delivery) {
		is.State, is.Due, is.AtOnce, is.Attempts = d.state, d.due, d.atOnce, d.attempts
		is.Log = record.AppendAttempt(slices.Clip(is.Log),
			&store.Attempt{Response: []byte("answer")})
		if !retry {
			is.Blocked, is.FinishedAt = false, m.clock
		}
	})
}

// requeue makes a finished delivery pending again.
func (m *model) requeue() {
	m.last = "requeue"
	id, ok := m.some(func(d *modelState) bool { return d.state != store.Pending })
	if !ok {
		return
	}
	m.seq++ // the number as of which it is pending
	d := m.deliveries[id]
	d.state, d.asOf, d.due, d.atOnce = store.Pending, m.seq, m.clock, order.Asked
	m.change(id, func(is *Delivery) {
		is.State, is.AsOf, is.Due, is.FinishedAt, is.Reason = store.Pending, m.seq, m.clock, 0, ""
		is.AtOnce = order.Asked
	})
}

// cancelAll cancels all that is pending for a subscription.
func (m *model) cancelAll() {
	m.last = "cancel all"
	num := m.nums[m.rand.IntN(len(m.nums))]
	m.seq++
	for _, seq := range m.pending(num) {
		m.deliveries[ID{num, seq}].state = store.Canceled
	}
	m.canceled[num] = m.seq
	m.transact(func(s *Set) error {
		_, err := s.Backlogs.CancelAll(num, record.Mark{Seq: m.seq, At: m.clock,
			Reason: "unsubscribed"})
		return err
	})
}

// purge writes what marks and erasures say into the rows, all or a part of it.
func (m *model) purge() {
	m.last = "purge"
	all := m.rand.IntN(2) == 0
	var ids []ID
	for id := range m.deliveries {
		if all || m.rand.IntN(2) == 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.Compare)
	m.transact(func(s *Set) error {
		for _, id := range ids {
			was, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
			if err != nil {
				return err
			}
			if !ok || !was.Marked && !was.Outdated {
				continue
			}
			is := was
			if was.Marked {
				is.Blocked, is.Due, is.AtOnce = false, 0, 0
			}
			if err := s.Transition(id, was, is, was.Marked); err != nil {
				return err
			}
		}
		if !all {
			return nil
		}
		for _, num := range m.nums {
			if none, err := s.Backlogs.DropMarks(num, m.canceled[num]); err != nil || !none {
				return fmt.Errorf("subscription %d has marks left, %w", num, err)
			}
		}
		clear(m.erasing)
		return nil
	})
}

// erase erases an event. A finished delivery of it keeps its state.
func (m *model) erase() {
	m.last = "erase"
	id, ok := m.some(func(*modelState) bool { return true })
	if !ok {
		return
	}
	m.seq++
	m.erasing[id.Seq] = &record.Erasure{Seq: id.Seq, AsOf: m.seq, At: m.clock}
	for _, num := range m.recipients[id.Seq] {
		if d := m.deliveries[ID{num, id.Seq}]; d != nil && d.state == store.Pending {
			d.state = store.Canceled
		}
	}
}

// spill has the watermark rise by a part.
func (m *model) spill() {
	m.last = "spill"
	if m.toSpill == nil {
		if m.seq == m.watermark {
			return
		}
		m.rising = m.watermark + 1 + m.rand.Uint64N(m.seq-m.watermark)
		m.toSpill = slices.Clone(m.nums)
	}
	num := m.toSpill[0]
	m.toSpill = m.toSpill[1:]
	var seqs []uint64
	for seq := range m.implicit[num] {
		if seq <= m.rising {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	m.transact(func(s *Set) error {
		// an operation of the same transaction comes before
		if len(seqs) > 0 && m.rand.IntN(2) == 0 {
			if err := m.retry(s, ID{num, seqs[m.rand.IntN(len(seqs))]}); err != nil {
				return err
			}
		}
		packed, err := s.Spill(num, seqs, m.backlogs[num])
		for _, seq := range packed {
			delete(m.implicit[num], seq)
		}
		return err
	})
	if len(m.toSpill) == 0 {
		m.watermark, m.toSpill = m.rising, nil
	}
}

// retry has a delivery tried again, if it is pending.
func (m *model) retry(s *Set, id ID) error {
	d := m.deliveries[id]
	was, ok, err := s.Find(id.Num, id.Seq, d.key)
	if err != nil || !ok || !was.Pending() {
		return err
	}
	d.attempts, d.due, d.atOnce = d.attempts+1, m.clock, 0
	is := was
	is.Attempts, is.Due, is.AtOnce = d.attempts, d.due, 0
	is.Log = record.AppendAttempt(slices.Clip(is.Log), &store.Attempt{})
	return s.Transition(id, was, is, true)
}

// trim removes chunks below everything that is pending or needed by a purge.
func (m *model) trim() {
	m.last = "trim"
	num := m.nums[m.rand.IntN(len(m.nums))]
	floor := m.seq + 1
	for id, d := range m.deliveries {
		if id.Num == num && !d.row {
			floor = min(floor, id.Seq)
		}
	}
	m.transact(func(s *Set) error { return s.Trim(num, floor, 2) })
}

// prune removes the row of a finished delivery below the watermark.
func (m *model) prune() {
	m.last = "prune"
	id, ok := m.some(func(d *modelState) bool { return d.state != store.Pending && d.row })
	if !ok || id.Seq > m.watermark {
		return
	}
	removed := false
	m.transact(func(s *Set) error {
		d, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
		if err != nil || !ok || d.Marked || !d.Stored {
			return err
		}
		removed = true
		return s.RemoveRow(id, &d)
	})
	if removed {
		delete(m.deliveries, id)
		m.recipients[id.Seq] = slices.DeleteFunc(m.recipients[id.Seq], func(num uint64) bool {
			return num == id.Num
		})
	}
}
