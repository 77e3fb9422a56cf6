package memstore

import (
	"time"

	"github.com/outhook/outhook/store"
)

// subscription is a stored subscription with its deliveries, pending and finished.
// The embedded record is replaced as a whole and its lists and maps are never changed, so claims
// can share them.
type subscription struct {
	*store.Subscription        // replaced and not changed, as claims share it
	num                 uint64 // its number in the order of creation

	deliveries map[uint64]*delivery   // by the number of their event
	events     []*event               // of those, in the order of Enqueue
	keyed      map[string][]*delivery // the pending ones of each key, by the order of their events
	turns      *turns                 // its health, and what is pending
}

// wants reports whether sub gets, or but for being disabled would get, an event that is being
// enqueued, if its filter takes it. e.enqueued must be set.
func (sub *subscription) wants(e *event) bool {
	// Disabled ones get a canceled delivery, which a replay finds when they are back.
	return sub.Tenant == e.tenant && sub.Excludes(e.typ, e.time, e.enqueued) == ""
}

// cancelPending ends all that is pending for sub.
func (s *state) cancelPending(sub *subscription, reason string, now time.Time) {
	// The schedule hears of all of them at once, by removeAll; told of each, it would search its
	// lists as often.
	n := 0
	for _, d := range sub.deliveries {
		if d.state == store.Pending {
			d.canceled, d.position = reason, nil
			s.ended.conclude(d, store.Canceled, now)
			n++
		}
	}
	s.queue.removeAll(sub, n, now)
}
