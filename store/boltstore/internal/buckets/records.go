package buckets

import (
	"github.com/outhook/outhook/store/boltstore/internal/pending"

	bolt "go.etcd.io/bbolt"
)

// Records are the records of a store as one transaction sees and changes them, by their kinds. What
// memory must learn of the transaction once it is committed is in Log.
type Records struct {
	base
	Pending    pending.Set
	Erasures   erasures
	Expiries   expiries
	Subs       subscriptions
	Recipients recipientIndex
	IDs        eventIDs
	Events     eventLog
	Counts     counts
}

// Init makes Records of a bbolt transaction. w is for one that writes. It reads two numbers of the
// file. The caller ends tx, also after an error.
func (r *Records) Init(s *Settings, w *Writer, tx *bolt.Tx) error {
	r.base = base{Settings: s, Bolt: tx, Now: s.Now()}
	// It belongs to the holder of the write lock, which a reader is not.
	if tx.Writable() {
		r.writer = w
	}
	// The parts point to each other and to base, so Records must not be copied.
	r.Erasures = erasures{
		base: &r.base, events: &r.Events, subs: &r.Subs, pending: &r.Pending,
	}
	r.Expiries = expiries{
		base: &r.base, events: &r.Events, subs: &r.Subs, pending: &r.Pending,
	}
	r.Recipients.base = &r.base
	r.Subs.base, r.Subs.recipients, r.Subs.pending = &r.base, &r.Recipients, &r.Pending
	r.IDs.base, r.IDs.events = &r.base, &r.Events
	r.Events = eventLog{base: &r.base, ids: &r.IDs, subs: &r.Subs, pending: &r.Pending}
	r.Counts.base, r.Counts.subs = &r.base, &r.Subs
	watermark, err := r.MetaNumber(MetaWatermark)
	if err != nil {
		return err
	}
	// Both in each transaction: where a delivery is known from depends on them, and they change
	// with what is packed.
	rising, err := r.MetaNumber(MetaRising)
	if err != nil {
		return err
	}
	r.Pending.Init(pendingBuckets{&r.base}, &r.Erasures, journal{&r.base}, watermark, rising)
	r.Pending.Now = r.Now
	return nil
}
