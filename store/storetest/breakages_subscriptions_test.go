package storetest_test

import (
	"context"

	"github.com/outhook/outhook/store"
)

func subscriptionBreakages() []breakage {
	return []breakage{
		{"forgets what seals a subscription", "subscriptions/sealed-with", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				return b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
					defer func() { s.SealedWith = "" }()
					return change(s)
				})
			}
		}},
		{"claims as if nothing was sealed", "subscriptions/sealed-with", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Subscription.SealedWith = "" })
		}},
		{"replaces what exists", "subscriptions/create-conflict", func(b *broken) {
			b.create = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
				_ = b.Store.DeleteSubscription(ctx, sub.ID)
				return b.Store.CreateSubscription(ctx, sub)
			}
		}},
		{"cancels nothing", "unsubscribe/cancels", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				var status store.Status
				sub, err := b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
					err := change(s)
					status, s.Status = s.Status, store.Subscribed
					return err
				})
				sub.Status = status
				return sub, err
			}
		}},
		{"gives another reason", "unsubscribe/reason", func(b *broken) {
			b.update = updatesWith(b, func(s *store.Subscription) { s.DisabledReason = "" })
		}},
		{"keeps nothing for a disabled one", "wanted/disabled", func(b *broken) {
			b.update = updatesWith(b, func(s *store.Subscription) { s.DisabledReason = "" })
		}},
		{"keeps what change did before its error", "subscriptions/update-error", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				var refused error
				sub, err := b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
					refused = change(s)
					return nil
				})
				if refused != nil {
					return store.Subscription{}, refused
				}
				return sub, err
			}
		}},
		{"changes nothing", "subscriptions/update", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				sub, err := b.Store.Subscription(ctx, id)
				if err == nil {
					err = change(&sub)
				}
				return sub, err
			}
		}},
		{"keeps what a deleted one had", "unsubscribe/delete", func(b *broken) {
			b.deleteSub = func(ctx context.Context, id string) error {
				_, err := b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
					s.Status = store.Unsubscribed
					return nil
				})
				return err
			}
		}},
		{"shares what it keeps", "values/subscription-out", func(b *broken) {
			shared := make(map[string]store.Subscription)
			b.subscription = func(ctx context.Context, id string) (store.Subscription, error) {
				if sub, ok := shared[id]; ok {
					return sub, nil
				}
				sub, err := b.Store.Subscription(ctx, id)
				shared[id] = sub
				return sub, err
			}
		}},
		{"lists another tenant's", "pages/subscriptions", func(b *broken) {
			b.subscriptions = func(
				ctx context.Context, q store.SubscriptionQuery,
			) (store.Page[store.Subscription], error) {
				q.AnyTenant = true
				return b.Store.Subscriptions(ctx, q)
			}
		}},
	}
}

// updatesWith returns an UpdateSubscription that changes more than it is asked to.
func updatesWith(
	b *broken, more func(*store.Subscription),
) func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error) {
	return func(
		ctx context.Context, id string, change func(*store.Subscription) error,
	) (store.Subscription, error) {
		return b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
			err := change(s)
			more(s)
			return err
		})
	}
}
