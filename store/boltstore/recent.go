package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/record"

// The bounds of recent: together, of the memory that it takes.
const (
	maxRecent     = 4096
	maxRecentBody = 2 << 10
)

// recent is the last events that were enqueued. What is claimed soon after it was published need not be read.
type recent struct {
	ring [maxRecent]struct {
		seq   uint64
		event *record.Event
	}
}

// add puts in an event, unless it is large, for the one that is maxRecent older.
func (r *recent) add(seq uint64, e *record.Event) {
	if slot := &r.ring[seq%maxRecent]; len(e.Body) <= maxRecentBody && slot.seq < seq {
		slot.seq, slot.event = seq, e
	}
}

// remove takes an event out, if it is in.
func (r *recent) remove(seq uint64) {
	if slot := &r.ring[seq%maxRecent]; slot.seq == seq {
		slot.event = nil
	}
}

// find returns an event; nil when it is not there.
func (r *recent) find(seq uint64) *record.Event {
	if slot := &r.ring[seq%maxRecent]; slot.seq == seq {
		return slot.event
	}
	return nil
}
