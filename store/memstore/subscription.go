package memstore

import (
	"container/list"
	"time"

	"github.com/outhook/outhook/store"
)

// subscription is a stored subscription with what is pending for it and what became of the rest. The embedded record
// is replaced as a whole and its lists and maps are never changed, so claims can share them.
type subscription struct {
	store.Subscription
	num uint64 // its place in the order of creation

	health      store.Health
	lastFailure time.Time // when Failures last grew

	deliveries map[string]*delivery // by event ID
	queue

	ring *list.List    // the ring it is in, nil when in none
	seat *list.Element // its place there

	wakeAt time.Time // when it wakes; zero when it is not among the sleepers
	bed    int       // its position there
}

// held reports whether nothing may be claimed of sub for now.
func (sub *subscription) held(now time.Time) bool { return sub.health.HeldUntil.After(now) }

// wants reports whether sub gets, or but for being disabled would get, the event.
func (sub *subscription) wants(e *event) bool {
	return sub.Tenant == e.tenant &&
		(sub.Status == store.Subscribed || sub.Disabled()) &&
		takes(sub.Events, e.typ) &&
		!sub.SubscribedAt.After(e.time.Add(store.SubscribeGrace))
}

// setHealth changes the health of sub, and with it what counts against the limit of the unproven.
func (s *Store) setHealth(sub *subscription, h store.Health) {
	if sub.health.Proven && !h.Proven {
		s.unproven += sub.leased
	}
	if !sub.health.Proven && h.Proven {
		s.unproven -= sub.leased
	}
	sub.health = h
}

// cancelPending ends all that is pending for sub.
func (s *Store) cancelPending(sub *subscription, reason string, now time.Time) {
	for _, d := range sub.deliveries {
		if d.state == store.Pending {
			s.unlease(d)
			d.state, d.finished, d.canceled = store.Canceled, now, reason
			d.token, d.heap = 0, nil
		}
	}
	sub.queue = newQueue()
	s.settle(sub, now)
}
