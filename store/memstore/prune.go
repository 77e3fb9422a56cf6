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
func (s *Store) conclude(d *delivery, state store.State, now time.Time) {
	d.leave()
	d.state, d.finished = state, now
	if state == store.Delivered {
		d.enter(&s.ended.delivered)
	} else {
		d.enter(&s.ended.failed)
	}
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
	past := s.past(nil, &s.ended.delivered, r.Delivered, now)
	past = s.past(past, &s.ended.failed, r.Failed, now)
	s.drop(past)
	return len(past) == pruneStep, nil
}

// past adds to the deliveries that are to go those of a list that finished longer ago than they are
// to be kept, and takes them out of it.
func (s *Store) past(
	past []*delivery, l *list.List, keep time.Duration, now time.Time,
) []*delivery {
	for keep > 0 && l.Len() > 0 && len(past) < pruneStep {
		s.ended.looked++
		d := l.Front().Value.(*delivery)
		if now.Sub(d.finished) <= keep {
			break
		}
		d.leave()
		past = append(past, d)
	}
	return past
}

// drop removes deliveries, and events that have none any more.
func (s *Store) drop(past []*delivery) {
	gone := make(map[*delivery]bool, len(past))
	touched := s.ended.unwanted
	s.ended.unwanted = nil
	for _, d := range past {
		gone[d] = true
		delete(d.sub.deliveries, d.event.num)
		if n := len(touched); n == 0 || touched[n-1] != d.event {
			touched = append(touched, d.event)
		}
	}
	var first *event // the oldest that goes
	for _, e := range touched {
		e.deliveries = slices.DeleteFunc(e.deliveries, func(d *delivery) bool { return gone[d] })
		if len(e.deliveries) > 0 {
			continue
		}
		if s.events[e.id] == e { // or else it has come back with its tenant
			delete(s.events, e.id)
		}
		if first == nil || e.num < first.num {
			first = e
		}
	}
	if first == nil {
		return
	}
	i, _ := slices.BinarySearchFunc(s.log, first, compareEvents)
	rest := slices.DeleteFunc(s.log[i:], func(e *event) bool { return len(e.deliveries) == 0 })
	s.log = s.log[:i+len(rest)]
}
