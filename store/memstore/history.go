package memstore

import (
	"context"
	"fmt"
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
	matching := s.matching(q)
	found, err := cut(matching, (*delivery).place, q.Cursor, deliveryLimit(q))
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	page := store.Page[store.Delivery]{Next: found.Next, Previous: found.Previous}
	for _, d := range found.Items {
		page.Items = append(page.Items, d.record())
	}
	if q.Count {
		page.Total = len(matching)
	}
	return page, nil
}

func deliveryLimit(q store.DeliveryQuery) int {
	if q.Limit <= 0 {
		return store.DefaultDeliveryLimit
	}
	return q.Limit
}

// matching returns the deliveries that q selects, in the order of a listing.
func (s *Store) matching(q store.DeliveryQuery) []*delivery {
	var matching []*delivery
	for _, e := range slices.Backward(s.log) {
		for _, d := range e.deliveries {
			if r := d.record(); q.Matches(&r) {
				matching = append(matching, d)
			}
		}
	}
	return matching
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
	defer s.mu.Unlock()
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	found, err := cut(s.matching(q), (*delivery).place, q.Cursor, deliveryLimit(q))
	if err != nil {
		return 0, "", fmt.Errorf("memstore: requeue: %w", err)
	}
	for _, d := range found.Items {
		if s.requeue(d, now) {
			n++
		}
	}
	return n, found.Next, nil
}

// requeue makes d due now and reports whether that changed anything.
func (s *Store) requeue(d *delivery, now time.Time) bool {
	if d.sub.Status != store.Subscribed || d.event.erased {
		return false
	}
	if !d.sub.health.HeldUntil.IsZero() {
		d.sub.health.HeldUntil = time.Time{}
		s.settle(d.sub, now)
		s.wakeReader()
	}
	switch {
	case d.state != store.Pending:
		d.retry = 0
		s.revive(d, now)
		return true
	case !d.due.After(now): // a leased one too
		return false
	}
	d.leave()
	d.due = now
	d.sub.queueUp(d, now)
	s.settle(d.sub, now)
	s.wakeReader()
	return true
}
