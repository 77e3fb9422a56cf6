package history_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func historyBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "loses a requeue", Rule: "requeue/pending-again",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					page, err := b.Store.Deliveries(ctx, q)
					return store.RequeueResult{Requeued: len(page.Items), Next: page.Next}, err
				}
			}},
		{Name: "requeues another tenant's", Rule: "requeue/selects",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					q.AnyTenant = true
					return b.Store.Requeue(ctx, q)
				}
			}},
		{Name: "ends the hold of what is requeued", Rule: "requeue/held",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					r, err := b.Store.Requeue(ctx, q)
					_ = b.Store.ProbeNow(ctx, r.Held...)
					return r, err
				}
			}},
		{Name: "names none that is held", Rule: "requeue/held",
			Spoil: requeueResults(func(r *store.RequeueResult) {
				r.Held = nil
			})},
		{Name: "names one that is held twice", Rule: "requeue/held",
			Spoil: requeueResults(func(r *store.RequeueResult) {
				r.Held = append(r.Held, r.Held...)
			})},
		{Name: "names who was held only when something was requeued", Rule: "requeue/held-met",
			Spoil: requeueResults(func(r *store.RequeueResult) {
				if r.Requeued == 0 {
					r.Held = nil
				}
			})},
		{Name: "names all that are held", Rule: "requeue/held-others",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					r, err := b.Store.Requeue(ctx, q)
					page, _ := b.Store.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
					r.Held = nil
					for _, sub := range page.Items {
						if stats, err := b.Store.Stats(ctx, sub.ID); err == nil &&
							stats.Health.NextProbeAt.After(time.Now()) {
							r.Held = append(r.Held, sub.ID)
						}
					}
					return r, err
				}
			}},
		{Name: "goes on holding", Rule: "probe-now/ends",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(context.Context, ...string) error { return nil }
			}},
		{Name: "probes the first", Rule: "probe-now/ends",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(ctx context.Context, ids ...string) error {
					return b.Store.ProbeNow(ctx, ids[:min(len(ids), 1)]...)
				}
			}},
		{Name: "probes all", Rule: "probe-now/others",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(ctx context.Context, _ ...string) error {
					page, _ := b.Store.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
					for _, sub := range page.Items {
						_ = b.Store.ProbeNow(ctx, sub.ID)
					}
					return nil
				}
			}},
		{Name: "forgives with a probe", Rule: "probe-now/ends",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(ctx context.Context, ids ...string) error {
					for _, id := range ids {
						url := ""
						for i := range 2 { // there and back
							_, _ = b.Store.UpdateSubscription(ctx, id,
								func(s *store.Subscription) error {
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
		{Name: "knows whom it probes", Rule: "probe-now/others",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(ctx context.Context, ids ...string) error {
					for _, id := range ids {
						if _, err := b.Store.Subscription(ctx, id); err != nil {
							return err
						}
					}
					return b.Store.ProbeNow(ctx, ids...)
				}
			}},
		{Name: "requeues all in one step", Rule: "requeue/steps",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					q.Limit = 0
					return b.Store.Requeue(ctx, q)
				}
			}},
		{Name: "replays the newest first", Rule: "requeue/in-order",
			Spoil: func(b *broken.Store) { b.OnRequeue = newestFirst(b) }},
		{Name: "requeues what is waiting unasked", Rule: "requeue/finished-only",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					if len(q.States) == 0 {
						q.States = store.States()
					}
					return b.Store.Requeue(ctx, q)
				}
			}},
		{Name: "prunes nothing", Rule: "prune/retention",
			Spoil: func(b *broken.Store) {
				b.OnPrune = func(context.Context, store.Retention) (bool, error) {
					return false, nil
				}
			}},
		{Name: "knows one retention", Rule: "prune/two-retentions",
			Spoil: func(b *broken.Store) {
				b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
					return b.Store.Prune(ctx,
						store.Retention{Delivered: r.Delivered, Failed: r.Delivered})
				}
			}},
		{Name: "stops pruning early", Rule: "prune/steps",
			Spoil: func(b *broken.Store) {
				b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
					_, err := b.Store.Prune(ctx, r)
					return false, err
				}
			}},
	}
}

// requeueResults returns what changes each result of Requeue.
func requeueResults(change func(*store.RequeueResult)) func(*broken.Store) {
	return func(b *broken.Store) {
		b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
			error) {
			r, err := b.Store.Requeue(ctx, q)
			change(&r)
			return r, err
		}
	}
}

// newestFirst returns a Requeue whose steps begin with the newest.
func newestFirst(
	b *broken.Store,
) func(context.Context, store.DeliveryQuery) (store.RequeueResult, error) {
	return func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
		if len(q.States) == 0 {
			q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
		}
		page, err := b.Store.Deliveries(ctx, q)
		result := store.RequeueResult{Next: page.Next}
		for _, d := range page.Items {
			one, err := b.Store.Requeue(ctx, store.DeliveryQuery{
				AnyTenant: true, SubscriptionID: d.SubscriptionID, EventID: d.EventID,
				States: q.States,
			})
			if err != nil {
				return result, err
			}
			result.Requeued += one.Requeued
			result.Held = append(result.Held, one.Held...)
		}
		return result, err
	}
}
