// Package missed says what became of an event for each subscription of its tenant, and why some did
// not get it.
//
// A reason is found by the subscription as it is now and by the rule by which a store enqueues.
// These reasons add to those of [store.Exclusion].
package missed

import (
	"context"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// What package dispatcher says of a subscription that did not get an event; see its constants.
const (
	Changed  = "changed"
	Removed  = "removed"
	Filtered = "filtered"
	Canceled = "canceled"
	Dead     = "dead"
)

// Subscription is one, and what became of an event for it.
type Subscription struct {
	Subscription store.Subscription
	Delivery     *store.Delivery // nil if there is none
	Why          string          // it did not get the event; empty if it got it or is to get it
}

// Of returns an event of a tenant, and what became of it for a page of the tenant's subscriptions.
func Of(
	ctx context.Context, s store.Store, tenant, eventID, cursor string, limit int,
) (ev store.StoredEvent, page store.Page[Subscription], err error) {
	if ev, err = s.Event(ctx, tenant, eventID); err != nil {
		return ev, page, err
	}
	subs, err := s.Subscriptions(ctx,
		store.SubscriptionQuery{Tenant: tenant, Cursor: cursor, Limit: limit})
	if err != nil {
		return store.StoredEvent{}, page, err
	}
	found, err := deliveries(ctx, s, &ev, subs.Items)
	if err != nil {
		return store.StoredEvent{}, page, err
	}
	page.Next = subs.Next
	for i := range subs.Items {
		sub := &subs.Items[i]
		d := found[sub.ID]
		page.Items = append(page.Items, Subscription{*sub, d, why(sub, d, &ev)})
	}
	return ev, page, nil
}

// why returns why a subscription did not get an event, or "" if it got it or is to get it. d is the
// delivery; nil if there is none.
func why(sub *store.Subscription, d *store.Delivery, ev *store.StoredEvent) string {
	switch {
	case d == nil:
		return whyNone(sub, ev)
	case d.State == store.Dead:
		return Dead
	case d.State == store.Canceled && d.LastError == send.ReasonFiltered:
		return Filtered
	case d.State == store.Canceled:
		return Canceled
	}
	return ""
}

// whyNone returns why a subscription has no delivery of an event.
func whyNone(sub *store.Subscription, ev *store.StoredEvent) string {
	// By the rule of Enqueue itself, which was asked about those that were there.
	why := sub.Excludes(ev.Type, ev.Time, ev.EnqueuedAt)
	switch {
	case why != store.ExcludedType && sub.SubscribedAt.After(ev.EnqueuedAt):
		return string(store.ExcludedLater)
	case why != "":
		return string(why)
	}
	// Of an erased event nothing is known that a filter could look at.
	if payload, ok := events.PayloadOf(ev.Body); ok && !sub.Takes(payload) {
		return string(store.ExcludedFilter)
	}
	// Two clocks may have stamped them, or one that is not precise.
	if sub.UpdatedAt.After(ev.EnqueuedAt.Add(-time.Millisecond)) {
		return Changed
	}
	return Removed
}

// deliveries returns the deliveries of an event to some subscriptions, by their IDs. Nearly
// always one page has all deliveries of the event. If it went to more, as a listing has no way to
// begin at a subscription, each is asked for.
func deliveries(
	ctx context.Context, s store.Store, ev *store.StoredEvent, subs []store.Subscription,
) (map[string]*store.Delivery, error) {
	found := make(map[string]*store.Delivery)
	all, err := s.Deliveries(ctx,
		store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID, Limit: limit})
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		found[all.Items[i].SubscriptionID] = &all.Items[i]
	}
	if all.Next == "" {
		return found, nil
	}
	for i := range subs {
		if found[subs[i].ID] != nil {
			continue
		}
		one, err := s.Deliveries(ctx, store.DeliveryQuery{
			Tenant: ev.Tenant, EventID: ev.ID, SubscriptionID: subs[i].ID, Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(one.Items) > 0 {
			found[subs[i].ID] = &one.Items[0]
		}
	}
	return found, nil
}

// limit is how many deliveries of an event are read at once.
const limit = 500
