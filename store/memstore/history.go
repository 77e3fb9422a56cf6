package memstore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
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
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	if err := q.Validate(); err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	defer s.end()
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	w := s.deliveryWalk(&q)
	step, err := w.part((*delivery).place, q.Cursor, deliveryLimit(q))
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	result := store.RequeueResult{Next: w.next(&step)}
	held := make(map[string]struct{})
	for _, d := range step.items {
		if d.sub.Status != store.Subscribed || d.event.erased {
			continue
		}
		if d.sub.turns.Health().NextProbeAt.After(now) {
			held[d.sub.ID] = struct{}{}
		}
		if s.requeue(d, now) {
			result.Requeued++
		}
	}
	result.Held = slices.Collect(maps.Keys(held))
	return result, nil
}

// requeue makes d due now and reports whether that changed anything.
func (s *Store) requeue(d *delivery, now time.Time) bool {
	switch {
	case d.state != store.Pending:
		d.retry = 0
		s.revive(d, now)
		return true
	case !d.due.After(now): // a leased one too
		return false
	}
	d.due = now
	s.queueUp(d, false, now)
	return true
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: probe now: %w", err)
	}
	defer s.end()
	for _, id := range subscriptionIDs {
		sub := s.subs[id]
		if sub == nil {
			continue
		}
		if h := *sub.turns.Health(); !h.NextProbeAt.IsZero() {
			h.NextProbeAt = time.Time{}
			s.schedule.SetHealth(sub.turns, h, now.UnixNano())
		}
	}
	return nil
}
