package pending

import (
	"cmp"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

// Set is the pending deliveries as one transaction sees them. It is good for that transaction
// alone, and for one goroutine.
type Set struct {
	// Watermark is the event up to which no delivery is implicit. Rising is where it is going; it
	// is never below Watermark.
	Watermark, Rising uint64

	Now int64 // the store's clock: what has expired by then is canceled

	Chunks    chunks
	Backlogs  backlogs
	Overrides overrides

	access
	erasures Erasures
	journal  Journal

	// Deliveries that got a row in this transaction, see Spill.
	written       []ID
	writtenSorted bool
}

// ID names a delivery by the numbers of its subscription and its event.
type ID struct{ Num, Seq uint64 }

// Compare orders deliveries by subscription, then by event.
func (id ID) Compare(o ID) int {
	return cmp.Or(cmp.Compare(id.Num, o.Num), cmp.Compare(id.Seq, o.Seq))
}

// Init makes s the set of a transaction.
func (s *Set) Init(b Buckets, e Erasures, j Journal, watermark, rising uint64) {
	*s = Set{
		Watermark: watermark, Rising: rising,
		access: access{buckets: b}, erasures: e, journal: j,
	}
	s.Chunks.access, s.Overrides.access = &s.access, &s.access
	s.Backlogs.access, s.Backlogs.journal = &s.access, j
}

// Delivery is what the file says of a delivery: its row, or what follows from its having none.
// Marks and erasures are applied to it.
type Delivery struct {
	record.Row

	Stored bool // it has a row
	// Its row, or what counts as one, is pending; a mark or an erasure has canceled it.
	Marked   bool
	Counted  bool // Marked by an erasure alone, so that backlogs still count it as pending
	Outdated bool // what an erasure removes is still in its records
}

// Implicit returns a pending delivery that has no row.
func Implicit(seq, keyHash uint64) Delivery {
	return Delivery{Row: record.Row{State: store.Pending, AsOf: seq, KeyHash: keyHash}}
}

// RowState returns the state that the row says, which marks may override; "" without a row.
func (d *Delivery) RowState() store.State {
	switch {
	case !d.Stored:
		return ""
	case d.Marked: // what is marked was pending
		return store.Pending
	}
	return d.State
}

// Listed reports whether the delivery is in the indexes of what is pending. One that is marked is,
// until its row is written.
func (d *Delivery) Listed() bool { return d.Pending() || d.Marked }

// Position returns where the delivery stands among those of its subscription: first attempts by
// their event, retries by when they are due.
func (d *Delivery) Position(seq uint64) order.Position {
	switch {
	case d.Waits:
		return order.Position{Due: order.Scheduled(d.Due / 1e6), Seq: seq}
	case d.AtOnce != 0:
		return order.Position{Due: d.AtOnce, Seq: seq}
	case d.Attempts == 0:
		return order.Position{Seq: seq}
	}
	return order.Position{Due: order.Retrying(d.Due), Seq: seq}
}

// Find returns a delivery with its marks applied; ok is false if there is none. The caller knows
// that the subscription is a recipient of the event, and the hash of the event's ordering key. It
// returns [store.ErrCorrupt] if a record that decides it can't be read.
func (s *Set) Find(num, seq, keyHash uint64) (d Delivery, ok bool, err error) {
	d, ok, err = s.find(num, seq, keyHash)
	if err != nil || !ok {
		return Delivery{}, false, err
	}
	return d, true, s.ApplyMarks(num, seq, &d)
}

// Row returns what the row of a delivery says, without marks; ok is false if it has none.
func (s *Set) Row(id ID) (d Delivery, ok bool, err error) {
	key := record.Key2(id.Num, id.Seq)
	k, v := s.getEntry(Rows, key[:])
	if v == nil {
		return Delivery{}, false, nil
	}
	row, err := record.DecodeRow(k, v)
	return Delivery{Row: row, Stored: true}, err == nil, err
}

// find is Find without the marks.
func (s *Set) find(num, seq, keyHash uint64) (d Delivery, ok bool, err error) {
	// The row comes first: what has one may be in a chunk too, or be above the watermark.
	if d, ok, err = s.Row(ID{num, seq}); ok || err != nil {
		return d, ok, err
	}
	if seq <= s.Watermark {
		if _, chunked, err := s.Chunks.find(num, seq); err != nil || !chunked {
			return Delivery{}, false, err
		}
	}
	return Implicit(seq, keyHash), true, nil
}

// Packed reports whether a pending delivery that has no row is in a chunk. Otherwise it is
// implicit.
func (s *Set) Packed(num, seq uint64) (bool, error) {
	if seq <= s.Watermark || seq > s.Rising {
		return seq <= s.Watermark, nil
	}
	_, ok, err := s.Chunks.find(num, seq)
	return ok, err
}

// IsImplicit reports whether the delivery of an event above the watermark is implicit: it has
// neither a row nor a place in a chunk. The caller knows that the subscription is a recipient of
// the event.
func (s *Set) IsImplicit(num, seq uint64) (bool, error) {
	key := record.Key2(num, seq)
	if s.get(Rows, key[:]) != nil {
		return false, nil
	}
	if seq > s.Rising {
		return true, nil
	}
	// The rise was cut off by the end of the process: some subscriptions are packed and some are
	// not. Most have no chunks at all, and then nothing need be searched.
	b, err := s.Backlogs.Get(num)
	if err != nil || !b.Chunks {
		return err == nil, err
	}
	chunked, err := s.Chunks.Has(num, seq)
	return !chunked, err
}

// Has reports whether a delivery is pending. The caller knows that the subscription is a recipient
// of the event.
func (s *Set) Has(num, seq uint64) (bool, error) {
	d, ok, err := s.Find(num, seq, 0)
	return ok && d.Pending(), err
}

// Unreadable reports whether a delivery has a row that can't be read.
func (s *Set) Unreadable(num, seq uint64) bool {
	_, _, err := s.Row(ID{num, seq})
	return err != nil
}

// ApplyMarks makes a delivery what the marks of its subscription and the erasure of its event say.
func (s *Set) ApplyMarks(num, seq uint64, d *Delivery) error {
	if d.Pending() {
		b, err := s.Backlogs.Get(num)
		if err != nil {
			return err
		}
		if m := record.CanceledBy(b.Marks, d.AsOf); m != nil {
			d.State, d.FinishedAt, d.Reason = store.Canceled, m.At, m.Reason
			d.Marked = true
		}
		s.applyExpiry(d)
	}
	// Second: whether the mark or the erasure came first decides what the delivery says.
	return s.applyErasure(num, seq, d)
}

// applyExpiry makes a delivery canceled whose event has expired, unless a mark has canceled it
// before that. Without a mark, backlogs count it as pending until its row is written.
func (s *Set) applyExpiry(d *Delivery) {
	expires := d.ExpiresAt()
	if expires > s.Now || d.Marked && d.FinishedAt < expires {
		return
	}
	d.Counted, d.Marked = !d.Marked, true
	d.State, d.FinishedAt, d.Reason = store.Canceled, expires, store.ReasonExpired
}

// ErasedReason is the reason of deliveries that were pending when their event was erased.
const ErasedReason = "erased"

// applyErasure makes a delivery of an event that is being erased what the erasure says.
func (s *Set) applyErasure(num, seq uint64, d *Delivery) error {
	erasure, err := s.erasures.Erasure(seq)
	if err != nil || erasure == nil {
		return err
	}
	without, err := d.WithoutResponses()
	if err != nil {
		return err
	}
	// What the erasure has yet to remove from the records; readers don't see it any more.
	d.Outdated = d.Overridden() || len(without) != len(d.Log)
	d.Body, d.Log = store.BodyUndecided, without
	if !d.Listed() {
		return nil
	}
	// The marks as they are, since d may say by now that one has canceled it.
	b, err := s.Backlogs.Get(num)
	if err != nil {
		return err
	}
	earlier := record.CanceledBy(b.Marks, d.AsOf)
	d.Counted = earlier == nil // the mark has taken all that it canceled out of the count
	expired := d.Marked && d.Reason == store.ReasonExpired && d.FinishedAt < erasure.At
	if !expired && (earlier == nil || erasure.AsOf < earlier.Seq) {
		d.State, d.FinishedAt, d.Reason = store.Canceled, erasure.At, ErasedReason
	}
	d.Marked, d.Outdated = true, true
	return nil
}
