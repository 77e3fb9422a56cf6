package memstore

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// pruneStep is how many deliveries one Prune removes.
const pruneStep = 1000

// ended has the finished deliveries. Each list is ordered by when they finished, the earliest in
// front: the clock never goes back, and what finishes is put at the end. So Prune looks at what it
// removes, and at one more of each kind.
type ended struct {
	delivered, failed list.List // of *delivery
	unwanted          []*event  // events that have lost their deliveries otherwise than by Prune

	looked int // how many deliveries Prune has looked at
}

// conclude makes a delivery what it is in the end. It is in no list, or in that of another end.
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
		en.looked++
		d := l.Front().Value.(*delivery)
		if now.Sub(d.finished) <= keep {
			break
		}
		d.leave()
		past = append(past, d)
	}
	return past
}

// Prune implements [store.History].
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err := r.Validate(); err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	defer s.mu.Unlock()
	past := s.ended.takePast(nil, &s.ended.delivered, r.Delivered, now)
	past = s.ended.takePast(past, &s.ended.failed, r.Failed, now)
	s.log.prune(append(s.ended.unwanted, drop(past)...))
	s.ended.unwanted = nil
	return len(past) == pruneStep, nil
}

// drop takes deliveries away from their subscriptions and events, and returns the events.
func drop(past []*delivery) (touched []*event) {
	gone := make(map[*delivery]bool, len(past))
	for _, d := range past {
		gone[d] = true
		delete(d.sub.deliveries, d.event.num)
		if n := len(touched); n == 0 || touched[n-1] != d.event {
			touched = append(touched, d.event)
		}
	}
	for _, e := range touched {
		e.deliveries = slices.DeleteFunc(e.deliveries, func(d *delivery) bool { return gone[d] })
	}
	return touched
}
