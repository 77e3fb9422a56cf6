package pending

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

// Change says what a delivery that has a row has become.
type Change struct {
	ID
	Pending  bool
	Blocked  bool           // pending, and waits for an earlier one of its key
	Position order.Position // if pending
	EndLease bool           // a lease on it ends

	// If it is not pending:
	Delivered  bool
	FinishedAt int64
}

// Transition makes a delivery what is says, where it was what was says, and keeps all that depends
// on it: its place in the indexes, the backlog's count, and the others of its ordering key. With
// endLease, a lease on the delivery ends even if it stays pending.
func (s *Set) Transition(id ID, was, is Delivery, endLease bool) error {
	if is.KeyHash == 0 {
		return s.write(id, was, is, endLease)
	}
	key := record.Key3(id.Num, is.KeyHash, id.Seq)
	switch {
	case !was.Pending() && is.Pending():
		if err := s.put(Keyed, key[:], nil); err != nil {
			return err
		}
		// A delivery that is pending again can be behind one that is, or before one that was first
		// until now.
		_, earlier, err := s.FirstOfKey(id.Num, is.KeyHash, 0, id.Seq)
		if err != nil {
			return err
		}
		is.Blocked = earlier != nil
		// The next one suffices: those behind it are blocked already.
		if err := s.blockNext(id, is.KeyHash); err != nil {
			return err
		}
		return s.write(id, was, is, endLease)
	case was.Listed() && !is.Pending():
		// Out of the key first, so that unblockFirst finds the next one and not this one.
		if err := s.remove(Keyed, key[:]); err != nil {
			return err
		}
		if err := s.write(id, was, is, endLease); err != nil {
			return err
		}
		return s.unblockFirst(id.Num, is.KeyHash)
	}
	return s.write(id, was, is, endLease)
}

// Create stores a row for a delivery of a new event, for which it must not start as pending and
// claimable. A row that is pending and has a key must be in the key already.
func (s *Set) Create(id ID, is record.Row) error {
	return s.write(id, Delivery{}, Delivery{Row: is}, false)
}

// write is Transition without the others of the key.
func (s *Set) write(id ID, was, is Delivery, endLease bool) error {
	// An erasure hides the override that a row says it has, so an outdated row may have one.
	if (was.Outdated || was.Overridden()) && !is.Overridden() {
		if err := s.Overrides.Remove(id.Num, id.Seq); err != nil {
			return err
		}
	}
	// A row that is blocked or has ended is in no index of what is due.
	position := is.Position(id.Seq)
	indexed := was.Stored && was.Listed() && !was.Blocked
	err := s.reindex(id, indexed, was.Position(id.Seq), is.Pending() && !is.Blocked, position)
	if err != nil {
		return err
	}
	if err := s.restate(id, was.RowState(), is.State); err != nil {
		return err
	}
	if err := s.recount(id, &was, &is); err != nil {
		return err
	}
	key := record.Key2(id.Num, id.Seq)
	if err := s.put(Rows, key[:], is.Encode(key[:])); err != nil {
		return err
	}
	// A spill of this transaction must not pack it: memory lists it as implicit until the commit.
	s.written, s.writtenSorted = append(s.written, id), false
	s.journal.DeliveryChanged(Change{
		ID: id, Pending: is.Pending(), Blocked: is.Blocked, Position: position,
		EndLease:  endLease || !is.Pending(),
		Delivered: is.State == store.Delivered, FinishedAt: is.FinishedAt,
	})
	return nil
}

// recount keeps the backlog's count of what is pending and not implicit. Memory counts the implicit
// ones itself, so what was implicit before has not been counted.
func (s *Set) recount(id ID, was, is *Delivery) error {
	n := 0
	if is.Pending() {
		n++
	}
	// A Mark has taken it out of the count when it was written; an erasure alone has not.
	if was.Pending() || was.Counted {
		counted := was.Stored
		if !counted {
			var err error
			if counted, err = s.Packed(id.Num, id.Seq); err != nil {
				return err
			}
		}
		if counted {
			n--
		}
	}
	if n == 0 {
		return nil
	}
	b, err := s.Backlogs.Edit(id.Num)
	if err != nil {
		return err
	}
	b.Pending += n
	return nil
}

// reindex takes a delivery from where it was in the index of what is due to where it is now.
func (s *Set) reindex(id ID, had bool, was order.Position, has bool,
	is order.Position) error {
	// Such as an outcome that does not change when it is due: the index is not written.
	if had && has && was == is {
		return nil
	}
	if had {
		key := record.Key3(id.Num, uint64(was.Due), id.Seq)
		if err := s.remove(Due, key[:]); err != nil {
			return err
		}
	}
	if has {
		key := record.Key3(id.Num, uint64(is.Due), id.Seq)
		return s.put(Due, key[:], nil)
	}
	return nil
}

// restate takes a delivery from where it was in the index of states to where it is now. was is ""
// if it had no row.
func (s *Set) restate(id ID, was, is store.State) error {
	if was == is {
		return nil
	}
	if was != "" && was != store.Delivered {
		key := StateKey(id.Num, was, id.Seq)
		if err := s.remove(States, key[:]); err != nil {
			return err
		}
	}
	if is != "" && is != store.Delivered {
		key := StateKey(id.Num, is, id.Seq)
		return s.put(States, key[:], nil)
	}
	return nil
}

// StateKey returns the key of a delivery in the index of states.
func StateKey(num uint64, state store.State, seq uint64) [record.Len3]byte {
	return record.Key3(num, record.StateCode(state), seq)
}

// Discard removes what a damaged row may have left in the index of what is due and of bodies: due
// is where memory had it.
func (s *Set) Discard(id ID, due int64) error {
	key := record.Key3(id.Num, uint64(due), id.Seq)
	if err := s.remove(Due, key[:]); err != nil {
		return err
	}
	return s.Overrides.Remove(id.Num, id.Seq)
}

// RemoveRow removes the records of a delivery that has ended. Its event must not be above the
// watermark: without a row, the delivery would be pending again.
func (s *Set) RemoveRow(id ID, d *Delivery) error {
	key := record.Key2(id.Num, id.Seq)
	if err := s.remove(Rows, key[:]); err != nil {
		return err
	}
	if err := s.restate(id, d.RowState(), ""); err != nil {
		return err
	}
	// As a rule there is none, and removing what is not there would still search the bucket.
	if d.Overridden() {
		if err := s.Overrides.Remove(id.Num, id.Seq); err != nil {
			return err
		}
	}
	// For the same reason it must not stay in a chunk.
	return s.Chunks.takeOut(id)
}
