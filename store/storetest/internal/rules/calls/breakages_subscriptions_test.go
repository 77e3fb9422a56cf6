package calls_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func subscriptionsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "shares what it keeps", Rule: "values/subscription-out",
			Spoil: func(b *broken.Store) {
				shared := make(map[string]store.Subscription)
				b.OnSubscription = func(ctx context.Context, id string) (store.Subscription,
					error) {
					if sub, ok := shared[id]; ok {
						return sub, nil
					}
					sub, err := b.Store.Subscription(ctx, id)
					shared[id] = sub
					return sub, err
				}
			}},
	}
}
