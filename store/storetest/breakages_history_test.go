package storetest_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func historyBreakages() []breakage {
	return []breakage{
		{"drops attempts", "finish/attempt", func(b *broken) {
			b.attempts = func(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
				attempts, err := b.Store.Attempts(ctx, subscriptionID, eventID)
				return attempts[max(0, len(attempts)-2):], err
			}
		}},
		{"skips one after each page", "pages/deliveries", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				q.Limit++
				page, err := b.Store.Deliveries(ctx, q)
				page.Items = page.Items[:min(len(page.Items), q.Limit-1)]
				return page, err
			}
		}},
		{"shows another tenant's", "deliveries/tenant", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				q.AnyTenant = true
				return b.Store.Deliveries(ctx, q)
			}
		}},
		{"takes Until as included", "deliveries/since-until", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				if !q.Until.IsZero() {
					q.Until = q.Until.Add(time.Nanosecond)
				}
				return b.Store.Deliveries(ctx, q)
			}
		}},
		{"lists oldest first", "deliveries/newest-first", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				page, err := b.Store.Deliveries(ctx, q)
				slices.Reverse(page.Items)
				return page, err
			}
		}},
		{"loses a requeue", "requeue/pending-again", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				page, err := b.Store.Deliveries(ctx, q)
				return len(page.Items), page.Next, err
			}
		}},
		{"requeues another tenant's", "requeue/selects", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				q.AnyTenant = true
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"keeps holding what is requeued", "requeue/hold", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				page, _ := b.Store.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
				for _, sub := range page.Items {
					if stats, err := b.Store.Stats(ctx, sub.ID); err == nil && !stats.Health.NextProbeAt.IsZero() {
						b.pause(sub.ID, time.Until(stats.Health.NextProbeAt))
					}
				}
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"holds nobody any longer", "requeue/hold-of-others", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				_, _, _ = b.Store.Requeue(ctx, store.DeliveryQuery{States: store.States()})
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"requeues all in one step", "requeue/steps", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				q.Limit = 0
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"requeues what is waiting unasked", "requeue/finished-only", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (int, string, error) {
				if len(q.States) == 0 {
					q.States = store.States()
				}
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"prunes nothing", "prune/retention", func(b *broken) {
			b.prune = func(context.Context, store.Retention) (bool, error) { return false, nil }
		}},
		{"knows one retention", "prune/two-retentions", func(b *broken) {
			b.prune = func(ctx context.Context, r store.Retention) (bool, error) {
				return b.Store.Prune(ctx, store.Retention{Delivered: r.Delivered, Failed: r.Delivered})
			}
		}},
		{"stops pruning early", "prune/steps", func(b *broken) {
			b.prune = func(ctx context.Context, r store.Retention) (bool, error) {
				_, err := b.Store.Prune(ctx, r)
				return false, err
			}
		}},
		{"counts leases that have run out", "claim/expiry", func(b *broken) {
			b.stats = func(ctx context.Context, id string) (store.Stats, error) {
				stats, err := b.Store.Stats(ctx, id)
				stats.InFlight = stats.Pending
				return stats, err
			}
		}},
	}
}
