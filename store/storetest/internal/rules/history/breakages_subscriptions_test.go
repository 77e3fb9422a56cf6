package history_test

import (
	"context"

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
	}
}
