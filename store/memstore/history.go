package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries implements [store.History]. Tenant, SubscriptionID and EventID select from indexes;
// what the rest of the query does not select is passed over.
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	defer s.mu.Unlock()
	// Up to as many deliveries are collected as one page has by default; more only if asked for.
	walk := s.deliveryWalk(&q).Within(page.BudgetOf(ctx))
	limit := page.Limit(q.Limit)
	cursor, err := page.Begin(s.cursors, &q)
	var found store.Page[*delivery]
	if err == nil {
		var searched *page.Position
		found, searched, err = walk.Searched(cursor, limit, min(limit, store.DefaultDeliveryLimit))
		if searched != nil {
			found.SearchedTo = s.log.timeNear(searched.Seq)
		}
	}
	// Only if asked for: it goes through many.
	if err == nil && q.Count {
		found.Total, found.TotalIsLowerBound, err = walk.Count(store.MaxTotal)
	}
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("memstore: deliveries: %w", err)
	}
	// Still under the lock, as shown reads what other calls change.
	return page.Map(page.SealPage(s.cursors, found),
		func(d **delivery) store.Delivery {
			return s.queue.shown(*d, s.withheld((*d).sub), now)
		}), nil
}

// listPosition returns where d stands in a listing. Listings go by the event, and among those of
// one event by the subscription.
func (d *delivery) listPosition() page.Position {
	return page.Position{Seq: d.event.num, Num: d.sub.num}
}

// Event implements [store.History].
func (s *Store) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	if _, err := s.begin(ctx); err != nil {
		return store.StoredEvent{}, fmt.Errorf("memstore: event: %w", err)
	}
	defer s.mu.Unlock()
	e := s.log.byName[name{tenant, eventID}]
	// Prune removes it when its last delivery is gone; from then on it is not shown.
	if e == nil || len(e.deliveries) == 0 {
		return store.StoredEvent{}, fmt.Errorf("memstore: event: %w", store.ErrNotFound)
	}
	return store.StoredEvent{
		ID: e.id, Type: e.typ, Tenant: e.tenant, Key: e.key, Time: e.time, EnqueuedAt: e.enqueued,
		Body: slices.Clone(e.body), Trace: e.trace, Tags: slices.Clone(e.tags),
		NotBefore: e.notBefore, ExpiresAt: e.expiresAt,
	}, nil
}

// Attempts implements [store.History].
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	if _, err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("memstore: attempts: %w", err)
	}
	defer s.mu.Unlock()
	// A delivery without attempts has an empty list, and one that is not there an error.
	d := s.delivery(subscriptionID, eventID)
	if d == nil {
		return nil, fmt.Errorf("memstore: attempts: %w", store.ErrNotFound)
	}
	return cloneAttempts(d.attempts), nil
}

// cloneAttempts returns a copy that shares nothing: an erasure and the next attempt change the
// list.
func cloneAttempts(attempts []store.Attempt) []store.Attempt {
	attempts = slices.Clone(attempts)
	for i := range attempts {
		attempts[i] = attempts[i].Clone()
	}
	return attempts
}

// Requeue implements [store.History]. It takes one step, and changes all that the step selects
// under the one lock.
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	if err := q.Validate(); err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	defer s.end()
	if !q.AnyTenant && s.isClosed(q.Tenant) {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", store.ErrMoved)
	}
	if len(q.States) == 0 {
		// Pending must be asked for by name.
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	limit := page.Limit(q.Limit)
	walk := s.deliveryWalk(&q)
	likely := min(limit, store.DefaultDeliveryLimit)
	cursor, err := s.cursors.Open(q.Cursor)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	// The oldest first: back from the end of a listing that begins with the newest.
	step, next, err := walk.StepBack(cursor, page.End(), limit, likely)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("memstore: requeue: %w", err)
	}
	result := store.RequeueResult{Next: s.cursors.Seal(next)}
	held := make(map[string]struct{})
	for _, d := range step.Items() {
		// Nothing may be sent there, or there is nothing to send. It is passed over and no error: a
		// call that is about many must not fail because of one.
		if !d.sub.Collects() || d.event.erased || d.event.expired(now) || s.isClosed(d.sub.Tenant) {
			continue
		}
		// Told even if nothing of it changes: what is due there waits for the probe.
		if d.sub.turns.Health().NextProbeAt.After(now) {
			held[d.sub.ID] = struct{}{}
		}
		if s.requeue(d, q.EventID != "", now) {
			result.Requeued++
		}
	}
	// Each once, however many of its deliveries matched.
	result.Held = slices.Collect(maps.Keys(held))
	return result, nil
}

// requeue makes d due now and reports whether that changed anything. named says that it was asked
// for by its event.
func (s *state) requeue(d *delivery, named bool, now time.Time) bool {
	switch {
	case d.state != store.Pending:
		// Attempts stay; only those that the backoff counts begin anew.
		d.retry, d.atOnce = 0, order.Asked
		s.revive(d, now)
		return true
	// An attempt is under way: to make it due would have a second one made.
	case d.sub.turns.Busy(d.event.num) || !d.canBeSooner(named, now):
		return false
	}
	// It keeps its retry: it was pending, and only waits no longer.
	d.setDue(now, order.Asked, now)
	s.queue.place(d, false, now)
	return true
}

// Recovered implements [store.History]. An ID that is unknown is passed over: the subscription may
// just have been deleted.
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: recovered: %w", err)
	}
	defer s.end()
	if sub := s.subs[subscriptionID]; sub != nil {
		if s.isClosed(sub.Tenant) {
			return fmt.Errorf("memstore: recovered: %w", store.ErrMoved)
		}
		// What waited for the breaker is due from then on, without a change of any delivery; see
		// order.Parked.
		s.queue.SetHealth(sub.turns, new(sub.turns.Health().Recovered()), now.UnixNano())
	}
	return nil
}

// canBeSooner reports whether a pending delivery waits for a retry, or, if it was named, for its
// subscription to succeed. What is not to be sent yet can't be sooner. Without the name it does not
// wait for that: all that the breaker holds back would be written anew by a call that asks for all,
// and is due when the breaker closes anyway.
func (d *delivery) canBeSooner(named bool, now time.Time) bool {
	if d.event.notBefore.After(now) {
		return false
	}
	return d.due.After(now) || named && d.atOnce != order.Asked && d.sub.turns.Health().Failures > 0
}

// ProbeNow implements [store.History]. IDs that are unknown are passed over.
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: probe now: %w", err)
	}
	defer s.end()
	for _, id := range subscriptionIDs {
		sub := s.subs[id]
		if sub == nil || s.isClosed(sub.Tenant) {
			continue
		}
		// A changed copy: claims share the present one.
		if h := *sub.turns.Health(); !h.NextProbeAt.IsZero() {
			h.NextProbeAt = time.Time{}
			s.queue.SetHealth(sub.turns, &h, now.UnixNano())
		}
	}
	return nil
}
