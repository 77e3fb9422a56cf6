package buckets

import (
	"sync/atomic"
	"time"
)

// Settings are the same for all transactions of a store.
type Settings struct {
	Buckets   *[bucketCount][]byte // their names
	Now       func() int64         // the store's clock
	Wall      func() time.Time     // the system's clock
	EraseStep int                  // see erasures
}

// Writer is what one transaction that writes leaves in memory for the next. It belongs to the
// holder of the file's write lock; only markStale may be called without it.
//
// A transaction that comes to nothing leaves here what it had read and written itself. That must do
// no harm: highestID and lastEnqueued are bounds, which are still good when they are too high, and
// the recipients are dropped.
type Writer struct {
	recipients   recipientCache
	stale        atomic.Bool // recipients may be of a transaction that was rolled back
	highestID    string      // no event's ID is higher; empty if it is not known
	LastEnqueued int64       // no event was enqueued later, by the system's clock
}

// MarkStale says that a transaction was rolled back, or may have been.
func (w *Writer) MarkStale() { w.stale.Store(true) }

// cache returns the recipients, without those that may be wrong.
func (w *Writer) cache() *recipientCache {
	if w.stale.Swap(false) {
		w.recipients.reset()
	}
	return &w.recipients
}
