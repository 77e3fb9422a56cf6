package memstore

import (
	"container/list"
	"time"

	"github.com/outhook/outhook/store"
)

// class is one of the kinds of subscriptions that take turns.
type class int

const (
	proven  class = iota
	untried       // neither Proven nor with Failures
	failing
	classes // how many there are
)

func classOf(h *store.Health) class {
	switch {
	case h.Proven:
		return proven
	case h.New():
		return untried
	}
	return failing
}

// rings are the rounds of subscriptions with something to claim, one of each class. The front of each is who is next.
type rings struct {
	of   [classes]list.List // of *subscription
	turn class              // whose turn it is
}

// enter puts sub at the end of its ring, unless it is in that ring already and keeps its place.
func (r *rings) enter(sub *subscription) {
	ring := &r.of[classOf(&sub.health)]
	if sub.ring == ring {
		return
	}
	r.leave(sub)
	sub.ring, sub.seat = ring, ring.PushBack(sub)
}

// leave takes sub out of the ring it is in.
func (r *rings) leave(sub *subscription) {
	if sub.ring != nil {
		sub.ring.Remove(sub.seat)
		sub.ring, sub.seat = nil, nil
	}
}

// settle puts sub where it belongs after a change: into a ring when something of it can be claimed, to sleep until
// something else can.
func (s *Store) settle(sub *subscription, now time.Time) {
	sub.ripen(now)
	if sub.stocked() && !sub.barred(now) {
		s.rings.enter(sub)
	} else {
		s.rings.leave(sub)
	}
	s.rouse(sub)
	if sub.wakeAt = sub.wake(now); !sub.wakeAt.IsZero() {
		s.sleepers.push(sub)
	}
}

// rouse takes sub from the sleepers.
func (s *Store) rouse(sub *subscription) {
	if !sub.wakeAt.IsZero() {
		s.sleepers.remove(sub.bed)
		sub.wakeAt = time.Time{}
	}
}

func wakesFirst(a, b *subscription) bool { return a.wakeAt.Before(b.wakeAt) }

// wake returns when something becomes claimable of sub that is not now, other than by the end of a lease; zero when
// nothing does.
func (sub *subscription) wake(now time.Time) time.Time {
	var at time.Time
	switch barred := sub.barred(now); {
	case barred && sub.stocked():
		at = sub.barredUntil()
	case sub.later.len() > 0:
		at = sub.later.first().due
		if until := sub.barredUntil(); barred && until.After(at) {
			at = until
		}
	}
	return at
}
