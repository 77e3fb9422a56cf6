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
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
				page, err := b.Store.Deliveries(ctx, q)
				return store.RequeueResult{Requeued: len(page.Items), Next: page.Next}, err
			}
		}},
		{"requeues another tenant's", "requeue/selects", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
				q.AnyTenant = true
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"ends the hold of what is requeued", "requeue/held", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
				r, err := b.Store.Requeue(ctx, q)
				_ = b.Store.ProbeNow(ctx, r.Held...)
				return r, err
			}
		}},
		{"names none that is held", "requeue/held", requeueResults(func(r *store.RequeueResult) { r.Held = nil })},
		{"names one that is held twice", "requeue/held", requeueResults(func(r *store.RequeueResult) {
			r.Held = append(r.Held, r.Held...)
		})},
		{"names who was held only when something was requeued", "requeue/held-met",
			requeueResults(func(r *store.RequeueResult) {
				if r.Requeued == 0 {
					r.Held = nil
				}
			})},
		{"names all that are held", "requeue/held-others", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
				r, err := b.Store.Requeue(ctx, q)
				page, _ := b.Store.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
				r.Held = nil
				for _, sub := range page.Items {
					if stats, err := b.Store.Stats(ctx, sub.ID); err == nil && stats.Health.NextProbeAt.After(time.Now()) {
						r.Held = append(r.Held, sub.ID)
					}
				}
				return r, err
			}
		}},
		{"goes on holding", "probe-now/ends", func(b *broken) {
			b.probeNow = func(context.Context, ...string) error { return nil }
		}},
		{"probes the first", "probe-now/ends", func(b *broken) {
			b.probeNow = func(ctx context.Context, ids ...string) error {
				return b.Store.ProbeNow(ctx, ids[:min(len(ids), 1)]...)
			}
		}},
		{"probes all", "probe-now/others", func(b *broken) {
			b.probeNow = func(ctx context.Context, _ ...string) error {
				page, _ := b.Store.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
				for _, sub := range page.Items {
					_ = b.Store.ProbeNow(ctx, sub.ID)
				}
				return nil
			}
		}},
		{"forgives with a probe", "probe-now/ends", func(b *broken) {
			b.probeNow = func(ctx context.Context, ids ...string) error {
				for _, id := range ids {
					url := ""
					for i := range 2 { // there and back
						_, _ = b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
							if i == 0 {
								url, s.URL = s.URL, "https://other.example/"
							} else {
								s.URL = url
							}
							return nil
						})
					}
				}
				return nil
			}
		}},
		{"knows whom it probes", "probe-now/others", func(b *broken) {
			b.probeNow = func(ctx context.Context, ids ...string) error {
				for _, id := range ids {
					if _, err := b.Store.Subscription(ctx, id); err != nil {
						return err
					}
				}
				return b.Store.ProbeNow(ctx, ids...)
			}
		}},
		{"does not say that it may probe", "ready/probe-now", func(b *broken) {
			b.probeNow = func(ctx context.Context, ids ...string) error {
				err := b.Store.ProbeNow(ctx, ids...)
				drain(b)
				return err
			}
		}},
		{"requeues all in one step", "requeue/steps", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
				q.Limit = 0
				return b.Store.Requeue(ctx, q)
			}
		}},
		{"requeues what is waiting unasked", "requeue/finished-only", func(b *broken) {
			b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
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

// requeueResults returns what changes each result of Requeue.
func requeueResults(change func(*store.RequeueResult)) func(*broken) {
	return func(b *broken) {
		b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
			r, err := b.Store.Requeue(ctx, q)
			change(&r)
			return r, err
		}
	}
}
