package memstore

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// pruneStep is how many deliveries one Prune removes. So that one call does not hold the lock for
// long.
const pruneStep = 1000

// ended has the finished deliveries. Each list is ordered by when they finished, the earliest in
// front: the clock never goes back, and what finishes is put at the end. So Prune looks at what it
// removes, and at one more of each kind. A sorted list and not a heap: adding and taking out cost
// the same for any history.
type ended struct {
	delivered, failed list.List // of *delivery
	unwanted          []*event  // events that have lost their deliveries otherwise than by Prune

	looked int // how many deliveries Prune has looked at
}

// conclude makes a delivery what it is in the end. It is in no list, or in that of another end. A
// canceled delivery can still become delivered, by a late success; so it may have to leave a list.
func (en *ended) conclude(d *delivery, state store.State, now time.Time) {
	d.leave()
	d.state, d.finished = state, now
	if state == store.Delivered {
		d.enter(&en.delivered)
	} else {
		d.enter(&en.failed)
	}
}

// takePast takes out of a list the deliveries that finished longer ago than they are to be kept,
// and adds them to past, up to pruneStep.
func (en *ended) takePast(
	past []*delivery, l *list.List, keep time.Duration, now time.Time,
) []*delivery {
	for keep > 0 && l.Len() > 0 && len(past) < pruneStep {
		// Counted before it is known whether it goes: tests bound what Prune looks at.
		en.looked++
		d := l.Front().Value.(*delivery)
		// All behind it have finished later.
		if now.Sub(d.finished) <= keep {
			break
		}
		d.leave()
		past = append(past, d)
	}
	return past
}

// Prune implements [store.History]. It looks at what it removes, and at one delivery more of each
// kind.
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err := r.Validate(); err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	defer s.mu.Unlock()
	// Both kinds share pruneStep, and what is delivered comes first: there is more of it.
	past := s.ended.takePast(nil, &s.ended.delivered, r.Delivered, now)
	past = s.ended.takePast(past, &s.ended.failed, r.Failed, now)
	// Events go with their last delivery, in the same call.
	s.log.prune(append(s.ended.unwanted, drop(past)...))
	// All of them at once, since they have no deliveries to remove.
	s.ended.unwanted = nil
	// It may say so in vain, which costs another call.
	return len(past) == pruneStep, nil
}

// drop takes deliveries away from their subscriptions and events, and returns the events. An event
// may be returned more than once, if its deliveries are not beside each other in past.
func drop(past []*delivery) (touched []*event) {
	gone := make(map[*delivery]bool, len(past))
	first := make(map[*subscription]*event) // the oldest of each that goes
	for _, d := range past {
		// A map, because an event may have thousands of deliveries, and many of them go.
		gone[d] = true
		delete(d.sub.deliveries, d.event.num)
		if f := first[d.sub]; f == nil || d.event.num < f.num {
			first[d.sub] = d.event
		}
		if n := len(touched); n == 0 || touched[n-1] != d.event {
			touched = append(touched, d.event)
		}
	}
	for sub, e := range first {
		sub.events = without(sub.events, e, func(e *event) bool {
			return sub.deliveries[e.num] == nil
		})
	}
	// All of an event's at once: its list is gone through once, and not for each delivery.
	for _, e := range touched {
		e.deliveries = slices.DeleteFunc(e.deliveries, func(d *delivery) bool { return gone[d] })
	}
	return touched
}
