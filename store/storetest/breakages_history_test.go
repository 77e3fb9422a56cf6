package storetest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// outcomesWith returns a Finish that changes each outcome.
func outcomesWith(
	b *broken, change func(*store.Outcome),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		outcomes = slices.Clone(outcomes)
		for i := range outcomes {
			change(&outcomes[i])
		}
		return b.Store.Finish(ctx, outcomes...)
	}
}

// tokens knows the present token of each delivery that was claimed.
type tokens struct {
	mu      sync.Mutex // guards present
	present map[[2]string]uint64
}

// watch makes tokens see what b claims.
func (tk *tokens) watch(b *broken) {
	tk.present = make(map[[2]string]uint64)
	b.claim = claimsWith(b, func(cl *store.Claim) {
		tk.mu.Lock()
		defer tk.mu.Unlock()
		tk.present[[2]string{cl.SubscriptionID, cl.EventID}] = cl.Token
	})
}

func (tk *tokens) of(l store.Lease) uint64 {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	return tk.present[[2]string{l.SubscriptionID, l.EventID}]
}

func finishBreakages() []breakage {
	return []breakage{
		{"ignores the token of a late failure", "finish/late-failure", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Token = tk.of(o.Lease) })
		}},
		{"ignores the token of a release", "release/token", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.release = func(ctx context.Context, leases ...store.Lease) error {
				for _, l := range leases {
					l.Token = tk.of(l)
					if err := b.Store.Release(ctx, l); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"ignores a late success", "finish/late-success", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.Token != tk.of(o.Lease) {
					o.State = store.Dead
				}
			})
		}},
		{"records no answer", "finish/attempt", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Attempt.Response = nil })
		}},
		{"takes dead for pending", "finish/dead", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.State == store.Dead {
					o.State = store.Pending
				}
			})
		}},
		{"answers in another order", "finish/results", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
				results, err := b.Store.Finish(ctx, outcomes...)
				slices.Reverse(results)
				return results, err
			}
		}},
		{"counts holds as failures only", "health/hold", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
				results, err := b.Store.Finish(ctx, outcomes...)
				for i := range results {
					results[i].After.Holds = 0
				}
				return results, err
			}
		}},
		{"knows no cap of a gap", "health/failing-for-cap", func(b *broken) {
			var last, first time.Time
			b.finish = outcomesWith(b, func(*store.Outcome) {
				if last = time.Now(); first.IsZero() {
					first = last
				}
			})
			b.stats = func(ctx context.Context, id string) (store.Stats, error) {
				stats, err := b.Store.Stats(ctx, id)
				stats.Health.FailingFor = last.Sub(first)
				return stats, err
			}
		}},
	}
}

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
