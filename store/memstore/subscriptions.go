package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/hostport"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(
	ctx context.Context, rec store.Subscription,
) (store.Subscription, error) {
	if err := rec.Validate(); err != nil {
		return store.Subscription{}, fmt.Errorf("memstore: create subscription: %w", err)
	}
	if _, err := s.begin(ctx); err != nil {
		return store.Subscription{}, fmt.Errorf("memstore: create subscription: %w", err)
	}
	defer s.end()
	// Whichever tenant has it: IDs of subscriptions are one namespace.
	if s.subs[rec.ID] != nil {
		return store.Subscription{}, fmt.Errorf("memstore: create subscription: %w", store.ErrConflict)
	}
	if s.isClosed(rec.Tenant) {
		return store.Subscription{}, fmt.Errorf("memstore: create subscription: %w", store.ErrMoved)
	}
	// The system's time: it is compared with the times of events, which are the callers'.
	rec, now := rec.Clone(), s.wall()
	rec.CreatedAt, rec.UpdatedAt, rec.SubscribedAt = now, now, time.Time{}
	if rec.Collects() {
		rec.SubscribedAt = now
	}
	sub := s.addSubscription(rec, store.Health{})
	return sub.Clone(), nil
}

// addSubscription stores a new subscription as it is, with its times and its health.
func (s *state) addSubscription(rec store.Subscription, health store.Health) *subscription {
	sub := &subscription{
		num:        s.nextNum(),
		deliveries: make(map[uint64]*delivery),
		keyed:      make(map[string][]*delivery),
	}
	sub.Subscription = &rec
	// The schedule knows of every subscription from its beginning, and is told of each change; so
	// it never has to ask.
	sub.turns = s.queue.Ensure(sub.num)
	sub.turns.Data = sub
	s.queue.SetState(sub.turns, schedule.State{
		Active: s.active(sub),
		Tenant: sub.Tenant, Host: hostport.Of(sub.URL), Health: &health,
	}, 0)
	s.subs[sub.ID] = sub
	// Numbers ascend, so the list is in their order.
	s.order = append(s.order, sub)
	return sub
}

// UpdateSubscription implements [store.Subscriptions]. What it returns is a copy.
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	now, err := s.begin(ctx)
	if err != nil {
		return store.Subscription{}, fmt.Errorf("memstore: update subscription: %w", err)
	}
	defer s.end()
	sub := s.subs[id]
	if sub == nil {
		return store.Subscription{}, fmt.Errorf("memstore: update subscription: %w", store.ErrNotFound)
	}
	if s.isClosed(sub.Tenant) {
		return store.Subscription{}, fmt.Errorf("memstore: update subscription: %w", store.ErrMoved)
	}
	// change works on a copy: claims share the lists of the present record, and an error must leave
	// it as it was.
	before, draft := sub.Subscription, sub.Clone()
	// The lock is held over change, so it must not call the store.
	if err := change(&draft); err != nil {
		return store.Subscription{}, err
	}
	after := draft.Clone() // change may have kept the draft
	if err := after.Validate(); err != nil {
		return store.Subscription{}, fmt.Errorf("memstore: update subscription: %w", err)
	}
	// Neither can be changed: maps and counts go by them.
	after.ID, after.Tenant = before.ID, before.Tenant
	at := s.wall()
	after.CreatedAt, after.UpdatedAt = before.CreatedAt, store.NextUpdate(before.UpdatedAt, at)
	after.SubscribedAt = before.SubscribedAt
	if after.Collects() && !before.Collects() {
		after.SubscribedAt = at
	}
	// From here on nothing fails. Claims that are out keep the former record.
	sub.Subscription = &after
	if before.Collects() && !after.Collects() {
		s.cancelPending(sub, cancelReason(&after), now)
	}
	// Its limit by host goes by the new URL from the next claim on.
	s.queue.SetHost(sub.turns, hostport.Of(after.URL), now.UnixNano())
	// Before it is active again: what a pause has collected goes by the new limit.
	if h := sub.turns.Health().Updated(before, &after); h != *sub.turns.Health() {
		s.queue.SetHealth(sub.turns, &h, now.UnixNano())
	}
	s.queue.SetActive(sub.turns, s.active(sub), now.UnixNano())
	return sub.Clone(), nil
}

// withheld returns why deliveries of sub may not be claimed; empty if they may. While its tenant is
// moved they may not either.
func (s *state) withheld(sub *subscription) store.Wait {
	if s.isClosed(sub.Tenant) {
		return store.WaitPaused
	}
	return sub.Withheld()
}

// active reports whether deliveries of sub may be claimed.
func (s *state) active(sub *subscription) bool { return s.withheld(sub) == "" }

// cancelReason is what deliveries that end with the subscription say: why it was disabled, or that
// its owner has ended it.
func cancelReason(sub *store.Subscription) string {
	if sub.DisabledReason != "" {
		return sub.DisabledReason
	}
	return "unsubscribed"
}

// DeleteSubscription implements [store.Subscriptions]. It visits each of its deliveries, pending or
// not.
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: delete subscription: %w", err)
	}
	defer s.end()
	sub := s.subs[id]
	if sub == nil {
		return fmt.Errorf("memstore: delete subscription: %w", store.ErrNotFound)
	}
	if s.isClosed(sub.Tenant) {
		return fmt.Errorf("memstore: delete subscription: %w", store.ErrMoved)
	}
	s.removeSubscription(sub, now)
	return nil
}

// removeSubscription removes a subscription with its deliveries.
func (s *state) removeSubscription(sub *subscription, now time.Time) {
	// First, so that its leases end before the schedule forgets it.
	s.cancelPending(sub, "deleted", now)
	for _, d := range sub.deliveries {
		// All are in a list by now, and Prune would come upon deliveries that are gone.
		d.leave()
		e := d.event
		e.deliveries = slices.DeleteFunc(e.deliveries, func(o *delivery) bool { return o == d })
		if len(e.deliveries) == 0 {
			// It is removed by Prune, so that deleting does not search the log.
			s.ended.unwanted = append(s.ended.unwanted, e)
		}
	}
	// Last of all that goes by its number, which no other subscription ever gets.
	s.queue.Forget(sub.turns)
	s.attempts.Drop(sub.num)
	delete(s.subs, sub.ID)
	s.order = slices.DeleteFunc(s.order, func(o *subscription) bool { return o == sub })
}

// Subscription implements [store.Subscriptions]. What it returns is a copy, which the caller may
// change.
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	if _, err := s.begin(ctx); err != nil {
		return store.Subscription{}, fmt.Errorf("memstore: subscription: %w", err)
	}
	defer s.mu.Unlock()
	sub := s.subs[id]
	if sub == nil {
		return store.Subscription{}, fmt.Errorf("memstore: subscription: %w", store.ErrNotFound)
	}
	return sub.Clone(), nil
}

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("memstore: subscriptions: %w", err)
	}
	if _, err := s.begin(ctx); err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("memstore: subscriptions: %w", err)
	}
	defer s.mu.Unlock()
	// The tenant's alone, so that without a filter the walk passes over none: such a listing has no
	// bound.
	selected := s.order
	if !q.AnyTenant {
		selected = nil
		for _, sub := range s.order {
			if sub.Tenant == q.Tenant {
				selected = append(selected, sub)
			}
		}
	}
	wanted := func(sub *subscription) bool { return q.Selects(sub.Subscription) }
	walk := page.Sorted(selected, (*subscription).listPosition, wanted).Within(page.BudgetOf(ctx))
	// A limit of zero is all of them, unlike in listings of deliveries.
	cursor, err := s.cursors.Open(q.Cursor)
	var found store.Page[*subscription]
	if err == nil {
		found, err = walk.Page(cursor, page.LimitOrAll(&q), 0)
	}
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("memstore: subscriptions: %w", err)
	}
	// Known without counting, but for a filter.
	if found.TotalIsLowerBound = q.Filtered(); !found.TotalIsLowerBound {
		found.Total = len(selected)
	}
	return page.Map(page.SealPage(s.cursors, found),
		func(sub **subscription) store.Subscription { return (*sub).Clone() }), nil
}

// listPosition returns where sub stands in a listing. The oldest comes first.
func (sub *subscription) listPosition() page.Position { return page.Position{Num: sub.num} }
