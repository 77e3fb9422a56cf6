package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// erasable looks for the events of a tenant.
type erasable struct {
	tenant string
	step   *page.Collector[uint64] // what it has found, oldest first

	from       uint64 // where it goes on
	deliveries int    // of what it has found, or a little more
}

// look looks on for a while, and reports whether it must go on. It passes over an event that can't be
// read.
func (f *erasable) look(t *txn) (more bool, err error) {
	c := t.bucket(BucketEvents).Cursor()
	start := record.Key1(f.from)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		if f.from = record.KeyNumber(k, 0); seen > 0 && t.settings.now()-t.now > sliceTime {
			return true, nil
		}
		if full := f.see(k, v); full {
			return false, nil
		}
		k, v = c.Next()
	}
	return false, nil
}

// see looks at an event. It is full when the event is one too many.
func (f *erasable) see(k, v []byte) (full bool) {
	e, err := record.DecodeEvent(k, v)
	if err != nil || e.Tenant != f.tenant {
		return false
	}
	packed, err := record.DecodeRecipients(k, v)
	if err != nil {
		return false
	}
	at := page.Position{Num: f.from}
	first := f.deliveries == 0 // an event has a subscription at least
	if f.deliveries += len(packed); !first && f.deliveries > defaultEraseStep {
		f.step.Stop(at)
		return true
	}
	return !f.step.Add(at, &f.from)
}
