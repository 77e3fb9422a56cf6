package memstore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	if _, err := s.begin(ctx); err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	defer s.mu.Unlock()
	w := s.deliveryWalk(&q)
	found, err := page(w, (*delivery).place, (*delivery).record, q.Cursor, deliveryLimit(q))
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	if q.Count {
		for range w(place{}, forward) {
			found.Total++
		}
	}
	return found, nil
}

func deliveryLimit(q store.DeliveryQuery) int {
	if q.Limit <= 0 {
		return store.DefaultDeliveryLimit
	}
	return q.Limit
}

// deliveryWalk returns a walk of the deliveries that q selects.
func (s *Store) deliveryWalk(q *store.DeliveryQuery) walk[*delivery] {
	return func(from place, d direction) iter.Seq[*delivery] {
		return func(yield func(*delivery) bool) {
			// The listing begins with the newest event, and the log with the oldest.
			num := ^from[0]
			i, found := slices.BinarySearchFunc(s.log, num, func(e *event, num uint64) int {
				return cmp.Compare(e.num, num)
			})
			step := 1
			if d == forward {
				step = -1
				if !found {
					i--
				}
			}
			for ; i >= 0 && i < len(s.log); i += step {
				if !s.log[i].visit(q, from, d, yield) {
					return
				}
			}
		}
	}
}

// visit yields the deliveries of e that q selects and that are on the way of a walk. It is false if
// the walk has ended.
func (e *event) visit(q *store.DeliveryQuery, from place, d direction, yield func(*delivery) bool) bool {
	for i := range e.deliveries {
		if d == backward {
			i = len(e.deliveries) - 1 - i
		}
		del := e.deliveries[i]
		if ahead := comparePlaces(del.place(), from) >= 0; ahead != (d == forward) {
			continue
		}
		if r := del.record(); q.Matches(&r) && !yield(del) {
			return false
		}
	}
	return true
}

// place returns where d stands in a listing: newest event first, oldest subscription first.
func (d *delivery) place() place { return place{^d.event.num, d.sub.num} }

// Attempts implements [store.History].
func (s *Store) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	if _, err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("memstore: attempts: %w", err)
	}
	defer s.mu.Unlock()
	d := s.delivery(subscriptionID, eventID)
	if d == nil {
		return nil, fmt.Errorf("memstore: attempts: %w", store.ErrNotFound)
	}
	attempts := slices.Clone(d.attempts)
	for i := range attempts {
		attempts[i].Response = slices.Clone(attempts[i].Response)
	}
	return attempts, nil
}

// Requeue implements [store.History].
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", fmt.Errorf("memstore: requeue: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("memstore: requeue: %w", err)
	}
	defer s.end()
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	w := s.deliveryWalk(&q)
	step, err := w.part((*delivery).place, q.Cursor, deliveryLimit(q))
	if err != nil {
		return 0, "", fmt.Errorf("memstore: requeue: %w", err)
	}
	next = w.next(&step)
	for _, d := range step.items {
		if s.requeue(d, q.EventID != "", now) {
			n++
		}
	}
	return n, next, nil
}

// requeue makes d due now and reports whether that changed anything. named says that it was asked for
// by its event.
func (s *Store) requeue(d *delivery, named bool, now time.Time) bool {
	if d.sub.Status != store.Subscribed || d.event.erased {
		return false
	}
	if h := *d.sub.turns.Health(); !h.NextProbeAt.IsZero() {
		h.NextProbeAt = time.Time{}
		s.schedule.SetHealth(d.sub.turns, h, now.UnixNano())
	}
	switch {
	case d.state != store.Pending:
		d.retry, d.atOnce = 0, schedule.Asked
		s.revive(d, now)
		return true
	case d.sub.turns.Busy(d.event.num) || !d.waits(named, now):
		return false
	}
	d.due, d.atOnce = now, schedule.Asked
	s.queueUp(d, false, now)
	return true
}

// waits reports whether a pending delivery waits for a time, or for its subscription to succeed. A
// first attempt waits for that only if it was named: or else all that is pending would be written
// anew by whoever asks for all.
func (d *delivery) waits(named bool, now time.Time) bool {
	parked := d.atOnce > schedule.Asked || named && d.atOnce == 0
	return d.due.After(now) || parked && d.sub.turns.Health().Failures > 0
}
