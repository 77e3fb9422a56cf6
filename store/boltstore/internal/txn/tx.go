package txn

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/pending"

	bolt "go.etcd.io/bbolt"
)

// Tx is a transaction of the file, with what is read and written through it. What memory must learn
// of it once it is committed is in effects.
type Tx struct {
	base
	Pending    pending.Set
	Erasures   erasures
	Subs       subscriptions
	Recipients recipientIndex
	IDs        eventIDs
	Events     eventLog
	Counts     counts
}

// Begin makes a Tx of a bbolt transaction. w is for one that writes. It reads two numbers of the
// file. The caller ends tx, also after an error.
func Begin(s *Settings, w *Writer, tx *bolt.Tx) (*Tx, error) {
	t := &Tx{base: base{settings: s, Tx: tx, Now: s.Now()}}
	// It belongs to the holder of the write lock, which a reader is not.
	if tx.Writable() {
		t.writer = w
	}
	// The parts point to each other and to base, so a Tx must not be copied.
	t.Erasures = erasures{
		base: &t.base, events: &t.Events, subs: &t.Subs, pending: &t.Pending,
	}
	t.Recipients.base = &t.base
	t.Subs.base, t.Subs.recipients, t.Subs.pending = &t.base, &t.Recipients, &t.Pending
	t.IDs.base, t.IDs.events = &t.base, &t.Events
	t.Events = eventLog{base: &t.base, ids: &t.IDs, subs: &t.Subs, pending: &t.Pending}
	t.Counts.base, t.Counts.subs = &t.base, &t.Subs
	watermark, err := t.MetaNumber(metaWatermark)
	if err != nil {
		return nil, err
	}
	// Both in each transaction: where a delivery is known from depends on them, and they change
	// with what is packed.
	rising, err := t.MetaNumber(metaRising)
	if err != nil {
		return nil, err
	}
	t.Pending.Init(pendingBuckets{&t.base}, &t.Erasures, journal{&t.base}, watermark, rising)
	return t, nil
}

// sliceTime bounds how long one step of a long read lasts, in nanoseconds: bbolt reuses no page
// that was freed since the oldest open transaction began.
const sliceTime = int64(2 * time.Millisecond)

// IsSlow reports whether the transaction has lasted as long as a step of a long read may.
func (t *Tx) IsSlow() bool { return t.settings.Now()-t.Now > sliceTime }
