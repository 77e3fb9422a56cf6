package memory

import "github.com/outhook/outhook/store/boltstore/internal/record"

// The bounds of recent: together, of the memory that it takes.
const (
	maxRecent     = 4096
	maxRecentBody = 2 << 10
)

// recent is the last events that were enqueued. What is claimed soon after it was published need
// not be read.
type recent struct {
	Ring [maxRecent]struct {
		seq   uint64
		Event *record.Event
	}
}

// add puts in an event, unless it is large, for the one that is maxRecent older.
func (r *recent) add(seq uint64, e *record.Event) {
	if slot := &r.Ring[seq%maxRecent]; len(e.Body) <= maxRecentBody && slot.seq < seq {
		slot.seq, slot.Event = seq, e
	}
}

// remove takes an event out, if it is in.
func (r *recent) remove(seq uint64) {
	if slot := &r.Ring[seq%maxRecent]; slot.seq == seq {
		slot.Event = nil
	}
}

// Find returns an event; nil if it is not there.
func (r *recent) Find(seq uint64) *record.Event {
	if slot := &r.Ring[seq%maxRecent]; slot.seq == seq {
		return slot.Event
	}
	return nil
}
