package storetest_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
)

// statsWith returns a Stats that changes the figures.
func statsWith(b *broken, change func(id string, stats *store.Stats)) func(context.Context,
	string) (store.Stats, error) {
	return func(ctx context.Context, id string) (store.Stats, error) {
		stats, err := b.Store.Stats(ctx, id)
		change(id, &stats)
		return stats, err
	}
}

func windowBreakages() []breakage {
	return []breakage{
		{"counts no late success", "windows/counts", func(b *broken) {
			var tk tokens
			tk.watch(b)
			late := make(map[string]int)
			b.finish = resultsWith(b, func(o store.Outcome, r *store.Result) {
				if !r.Ignored && o.Token != tk.of(o.Lease) {
					late[o.SubscriptionID]++
				}
			})
			b.release = func(ctx context.Context, leases ...store.Lease) error {
				for _, l := range leases {
					tk.forget(l)
				}
				return b.Store.Release(ctx, leases...)
			}
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				stats.Day.Delivered -= late[id]
			})
		}},
		{"counts what was canceled", "windows/uncounted", func(b *broken) {
			canceled := make(map[string]int)
			b.finish = resultsWith(b, func(o store.Outcome, r *store.Result) {
				if o.State == store.Canceled && !r.Ignored {
					canceled[o.SubscriptionID]++
				}
			})
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				stats.Hour.Failed += canceled[id]
			})
		}},
		{"keeps no times of answers", "windows/percentiles", func(b *broken) {
			b.stats = statsWith(b, func(_ string, stats *store.Stats) {
				stats.Hour.P50, stats.Hour.P95 = 0, 0
			})
		}},
		{"says when the last failure was", "stats/failing-since", func(b *broken) {
			b.stats = statsWith(b, func(_ string, stats *store.Stats) {
				stats.FailingSince = stats.FailingSince.Add(stats.Health.FailingFor)
			})
		}},
		{"has always been failing", "stats/failing-since", func(b *broken) {
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				if id != "" && stats.FailingSince.IsZero() {
					stats.FailingSince = time.Now()
				}
			})
		}},
		{"takes the median for all", "windows/percentiles", func(b *broken) {
			b.stats = statsWith(b, func(_ string, stats *store.Stats) {
				stats.Day.P95 = stats.Day.P50
			})
		}},
		{"counts the whole store", "windows/apart", func(b *broken) {
			n := 0
			b.finish = resultsWith(b, func(store.Outcome, *store.Result) { n++ })
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				if id == "" {
					stats.Day.Delivered = n
				}
			})
		}},
		{"forgets after an hour", "windows/hour", func(b *broken) {
			b.stats = statsWith(b, func(_ string, stats *store.Stats) { stats.Day = stats.Hour })
		}},
		{"takes an hour for a day", "windows/hour", func(b *broken) {
			b.stats = statsWith(b, func(_ string, stats *store.Stats) { stats.Hour = stats.Day })
		}},
		{"counts anew after an update", "windows/health", func(b *broken) {
			before := make(map[string]int)
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				stats, _ := b.Store.Stats(ctx, id)
				before[id] = stats.Day.Delivered
				return b.Store.UpdateSubscription(ctx, id, change)
			}
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				stats.Day.Delivered -= before[id]
			})
		}},
		{"counts on after a delete", "windows/deleted", func(b *broken) {
			before := make(map[string]int)
			b.deleteSub = func(ctx context.Context, id string) error {
				stats, _ := b.Store.Stats(ctx, id)
				before[id] = stats.Day.Delivered
				return b.Store.DeleteSubscription(ctx, id)
			}
			b.stats = statsWith(b, func(id string, stats *store.Stats) {
				stats.Day.Delivered += before[id]
			})
		}},
	}
}
