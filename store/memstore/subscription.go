package memstore

import (
	"container/list"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/tally"
)

// subscription is a stored subscription with what is pending for it and what became of the rest. The embedded record
// is replaced as a whole and its lists and maps are never changed, so claims can share them.
type subscription struct {
	store.Subscription
	num uint64 // its place in the order of creation

	health      store.Health
	lastFailure time.Time             // when Failures last grew
	pausedUntil time.Time             // when the last Pause ends
	slots       map[int64]*tally.Slot // what was counted, by number

	deliveries map[string]*delivery // by event ID
	queue

	ring *list.List    // the ring it is in, nil when in none
	seat *list.Element // its place there

	wakeAt time.Time // when it wakes; zero when it is not among the sleepers
	bed    int       // its position there
}

// held reports whether an outcome keeps sub from being claimed for now.
func (sub *subscription) held(now time.Time) bool { return sub.health.HeldUntil.After(now) }

// barredUntil returns when sub is neither held nor paused any more.
func (sub *subscription) barredUntil() time.Time {
	if sub.pausedUntil.After(sub.health.HeldUntil) {
		return sub.pausedUntil
	}
	return sub.health.HeldUntil
}

// barred reports whether nothing may be claimed of sub for now.
func (sub *subscription) barred(now time.Time) bool { return sub.barredUntil().After(now) }

// wants reports whether sub gets, or but for being disabled would get, an event that is being enqueued.
func (sub *subscription) wants(e *event) bool {
	latest := e.time.Add(store.SubscribeGrace)
	return sub.Tenant == e.tenant &&
		(sub.Status == store.Subscribed || sub.Disabled()) &&
		events.Wants(sub.Events, e.typ) &&
		// What happens now is for all that are there, also when the clock has been set back since they subscribed.
		(!sub.SubscribedAt.After(latest) || !e.enqueued.After(latest))
}

// setHealth changes the health of sub, and with it the class that its leases count in.
func (s *Store) setHealth(sub *subscription, h store.Health) {
	s.leasedOf[classOf(&sub.health)] -= sub.leased
	s.leasedOf[classOf(&h)] += sub.leased
	sub.health = h
}

// cancelPending ends all that is pending for sub.
func (s *Store) cancelPending(sub *subscription, reason string, now time.Time) {
	for _, d := range sub.deliveries {
		if d.state == store.Pending {
			s.unlease(d)
			d.canceled, d.token, d.heap = reason, 0, nil // all heaps of the queue go
			s.end(d, store.Canceled, now)
		}
	}
	sub.queue = newQueue()
	s.settle(sub, now)
}
