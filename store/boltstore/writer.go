package boltstore

import (
	"sync/atomic"
	"time"
)

// settings are the same for all transactions of a store.
type settings struct {
	buckets   *[bucketCount][]byte // their names
	now       func() int64         // the store's clock
	wall      func() time.Time     // the system's clock
	eraseStep int                  // see erasures.go
}

// writer is what one transaction that writes leaves in memory for the next. It belongs to the holder of
// the file's write lock; only markStale may be called without it.
//
// A transaction that comes to nothing leaves here what it had read and written itself. That must do no
// harm: highestID and lastEnqueued are bounds, which are still good when they are too high, and the
// recipients are dropped.
type writer struct {
	recipients   audienceCache
	stale        atomic.Bool // recipients may be of a transaction that came to nothing
	highestID    string      // no event's ID is higher; empty if it is not known
	lastEnqueued int64       // no event was enqueued later, by the system's clock
}

// markStale says that a transaction came to nothing.
func (w *writer) markStale() { w.stale.Store(true) }

// cache returns the recipients, without those that may be wrong.
func (w *writer) cache() *audienceCache {
	if w.stale.Swap(false) {
		w.recipients.reset()
	}
	return &w.recipients
}
