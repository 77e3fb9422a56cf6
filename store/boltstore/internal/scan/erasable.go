package scan

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// ErasableSearch looks for the events of a tenant. It ends when Step is full, when its events have
// about as many deliveries as one transaction may erase, when it has passed over as many events of
// others as a page may, or with the last event. It reads the log and not the deliveries of the
// tenant's subscriptions, because what was published for a deleted one must be erased too.
type ErasableSearch struct {
	Tenant string
	Step   *page.Collector[uint64] // what it has found, oldest first

	From       uint64 // where it goes on
	deliveries int    // of what it has found, or a little more
	passed     int    // how many events of others it has looked at
}

// Read looks on for a while, and reports whether it must go on. It passes over an event that can't
// be read.
func (f *ErasableSearch) Read(t *txn.Tx) (more bool, err error) {
	c := t.Bucket(txn.BucketEvents).Cursor()
	start := record.Key1(f.From)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		// Each step looks at one event at least, or on a slow disk none would come further. From is
		// the event that is yet to be looked at.
		if f.From = record.KeyNumber(k, 0); seen > 0 && t.IsSlow() {
			return true, nil
		}
		if full := f.take(k, v); full {
			return false, nil
		}
		k, v = c.Next()
	}
	return false, nil
}

// take looks at an event. It is full when the event is one too many.
func (f *ErasableSearch) take(k, v []byte) (full bool) {
	e, err := record.ViewEvent(k, v)
	if err != nil || string(e.Tenant) != f.Tenant {
		if f.passed == page.Budget {
			f.Step.Stop(page.Position{Num: f.From})
			return true
		}
		f.passed++
		return false
	}
	packed, err := record.DecodeRecipients(k, v)
	if err != nil {
		return false
	}
	at := page.Position{Num: f.From}
	first := f.deliveries == 0 // an event has a subscription at least
	// The length of the packed list stands for the number of recipients: each takes a byte at
	// least, so it is not too low, and nothing has to be decoded. The first event always goes,
	// however wide it is.
	if f.deliveries += len(packed); !first && f.deliveries > txn.DefaultEraseStep {
		// The page ends here, and its cursor goes on with this event.
		f.Step.Stop(at)
		return true
	}
	return !f.Step.Add(at, &f.From)
}
