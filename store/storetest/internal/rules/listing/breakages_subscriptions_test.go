package listing_test

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func subscriptionsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "lists another tenant's", Rule: "pages/subscriptions",
			Spoil: func(b *broken.Store) {
				b.OnSubscriptions = func(
					ctx context.Context, q store.SubscriptionQuery,
				) (store.Page[store.Subscription], error) {
					q.AnyTenant = true
					return b.Store.Subscriptions(ctx, q)
				}
			}},
		{Name: "ignores the text", Rule: "pages/subscription-filters",
			Spoil: spoilQuery(func(q *store.SubscriptionQuery) { q.Text = "" })},
		{Name: "ignores the metadata", Rule: "pages/subscription-filters",
			Spoil: spoilQuery(func(q *store.SubscriptionQuery) { q.Metadata = nil })},
		{Name: "ignores the statuses", Rule: "pages/subscription-filters",
			Spoil: spoilQuery(func(q *store.SubscriptionQuery) { q.Statuses = nil })},
		{Name: "ignores the type of events", Rule: "pages/subscription-filters",
			Spoil: spoilQuery(func(q *store.SubscriptionQuery) { q.EventType = "" })},
		{Name: "takes any filter", Rule: "pages/bad-filter",
			Spoil: spoilQuery(func(q *store.SubscriptionQuery) {
				if q.Validate() != nil {
					*q = store.SubscriptionQuery{Tenant: q.Tenant, Text: "nobody has this"}
				}
			})},
		{Name: "filters after it has cut the page", Rule: "pages/subscription-filter-pages",
			Spoil: func(b *broken.Store) {
				b.OnSubscriptions = func(
					ctx context.Context, q store.SubscriptionQuery,
				) (store.Page[store.Subscription], error) {
					if !q.Filtered() || q.Validate() != nil {
						return b.Store.Subscriptions(ctx, q)
					}
					all := store.SubscriptionQuery{Tenant: q.Tenant, AnyTenant: q.AnyTenant,
						Cursor: q.Cursor, Limit: q.Limit}
					page, err := b.Store.Subscriptions(ctx, all)
					page.Items = slices.DeleteFunc(page.Items,
						func(s store.Subscription) bool { return !q.Selects(&s) })
					page.Next, page.Previous, page.Total, page.TotalIsLowerBound = "", "", 0, true
					return page, err
				}
			}},
	}
}

// spoilQuery has Subscriptions change its query.
func spoilQuery(change func(*store.SubscriptionQuery)) func(*broken.Store) {
	return func(b *broken.Store) {
		b.OnSubscriptions = func(
			ctx context.Context, q store.SubscriptionQuery,
		) (store.Page[store.Subscription], error) {
			filtered := q.Filtered()
			change(&q)
			page, err := b.Store.Subscriptions(ctx, q)
			if filtered {
				page.Total, page.TotalIsLowerBound = 0, true
			}
			return page, err
		}
	}
}
