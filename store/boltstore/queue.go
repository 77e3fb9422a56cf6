package boltstore

import (
	"container/list"
	"math"

	"github.com/outhook/outhook/store"
)

// queue is what memory knows of a subscription that has something pending or leased, or had until lately. What is
// pending comes from four sources, each in its order, see the fields.
type queue struct {
	num uint64

	// The subscription and its health, once they are read: known. The subscription is replaced as a whole and never
	// changed, so claims can share what it points to. It is nil when its record can't be read.
	known  bool
	sub    *store.Subscription
	health health

	fresh   freshList // first attempts above the watermark
	chunked window    // first attempts below it
	started window    // first attempts that have a row: they had to wait for one of their key, or were requeued
	retries window    // what was attempted before, by when it is due

	pending  int    // how many are pending other than fresh
	stored   stored // the oldest of those
	chunks   bool   // there may be chunks in the file
	marks    []mark // that are not swept yet
	trimming bool   // it is in the list of that name

	leases     map[uint64]*lease // by event
	leased     int               // how many count against limits
	retryFirst bool              // whose turn it is when both first attempts and retries are due

	ring *list.List    // the ring it is in, nil when in none
	seat *list.Element // its place there
	idle *list.Element // its place among those that have nothing, nil when it has something

	paused int64 // until when nothing is claimed, whatever its health says
	wakeAt int64 // when something becomes claimable that is not now
	bed    int   // its position among the sleepers
}

func (q *queue) time() int64    { return q.wakeAt }
func (q *queue) position() *int { return &q.bed }

// windows returns the sources that are loaded from the file.
func (q *queue) windows() [3]*window { return [3]*window{&q.chunked, &q.started, &q.retries} }

// heldUntil returns when the last of its hold and its pause ends.
func (q *queue) heldUntil() int64 { return max(q.health.held, q.paused) }

// held reports whether nothing may be claimed for now.
func (q *queue) held(now int64) bool { return q.heldUntil() > now }

// subscribed reports whether things may be claimed at all. Those of a broken subscription may, to find out and die.
func (q *queue) subscribed() bool { return q.sub == nil || q.sub.Status == store.Subscribed }

// empty reports whether nothing of q needs to be remembered.
func (q *queue) empty() bool {
	for _, w := range q.windows() {
		if w.maybe() {
			return false
		}
	}
	return q.pending == 0 && q.fresh.size == 0 && len(q.leases) == 0 && !q.chunks && len(q.marks) == 0
}

// stocked reports whether something may be due.
func (q *queue) stocked(now int64) bool {
	if _, ok := q.fresh.peek(); ok || q.chunked.maybe() || q.started.maybe() || q.retries.hungry() {
		return true
	}
	p, ok := q.retries.first()
	return ok && p.due <= now
}

// wake returns when something becomes claimable of q that is not now, other than by the end of a lease; 0 when nothing
// does.
func (q *queue) wake(now int64) int64 {
	held := q.held(now)
	if held && q.stocked(now) {
		return q.heldUntil()
	}
	if p, ok := q.retries.after(now); ok {
		return max(p.due, q.heldUntil())
	}
	return 0
}

// source is where a delivery is claimed from.
type source int

const (
	none source = iota
	fromFresh
	fromChunk
	fromStarted
	fromRetries
)

// next returns the delivery whose turn it is. All windows that are hungry must have been loaded.
func (q *queue) next(now int64) (p place, from source) {
	first, from := place{seq: math.MaxUint64}, none
	if seq, ok := q.fresh.peek(); ok {
		first.seq, from = seq, fromFresh
	}
	if c, ok := q.chunked.first(); ok && c.seq < first.seq {
		first, from = c, fromChunk
	}
	if c, ok := q.started.first(); ok && c.seq < first.seq {
		first, from = c, fromStarted
	}
	retry, ok := q.retries.first()
	if ok && retry.due <= now && (from == none || q.retryFirst) {
		return retry, fromRetries
	}
	return first, from
}

// take removes the delivery that next has returned from its source.
func (q *queue) take(p place, from source) {
	q.retryFirst = from != fromRetries
	switch from {
	case fromFresh:
		q.fresh.take(p.seq)
	case fromChunk:
		q.chunked.remove(p.seq)
	case fromStarted:
		q.started.remove(p.seq)
	case fromRetries:
		q.retries.remove(p.seq)
	}
}

// forget takes a delivery out of all windows.
func (q *queue) forget(seq uint64) {
	for _, w := range q.windows() {
		w.remove(seq)
	}
}

// putBack makes the delivery of a lease free again.
func (q *queue) putBack(l *lease) {
	switch {
	case q.fresh.has(l.seq):
		q.fresh.putBack(l.seq)
	case l.behind:
	case l.chunked:
		q.chunked.add(place{0, l.seq})
	default:
		q.add(l.place)
	}
}

// add puts in a delivery that has a row and may be claimed.
func (q *queue) add(p place) {
	if p.due == 0 {
		q.started.add(p)
	} else {
		q.retries.add(p)
	}
}

// busy reports whether somebody holds the delivery.
func (q *queue) busy(seq uint64) bool {
	l := q.leases[seq]
	return l != nil && !l.expired
}
