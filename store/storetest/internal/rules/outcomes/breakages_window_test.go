package outcomes_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func windowBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "counts no late success", Rule: "windows/counts",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				late := make(map[string]int)
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if !r.Ignored && o.Token != tk.Of(o.Lease) {
						late[o.SubscriptionID]++
					}
				})
				b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
					for _, l := range leases {
						tk.Forget(l)
					}
					return b.Store.Release(ctx, leases...)
				}
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					stats.Day.Delivered -= late[id]
				})
			}},
		{Name: "counts what was canceled", Rule: "windows/uncounted",
			Spoil: func(b *broken.Store) {
				canceled := make(map[string]int)
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if o.State == store.Canceled && !r.Ignored {
						canceled[o.SubscriptionID]++
					}
				})
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					stats.Hour.Failed += canceled[id]
				})
			}},
		{Name: "keeps no times of answers", Rule: "windows/percentiles",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(_ string, stats *store.Stats) {
					stats.Hour.P50, stats.Hour.P95 = 0, 0
				})
			}},
		{Name: "takes the median for all", Rule: "windows/percentiles",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(_ string, stats *store.Stats) {
					stats.Day.P95 = stats.Day.P50
				})
			}},
		{Name: "counts the whole store", Rule: "windows/apart",
			Spoil: func(b *broken.Store) {
				n := 0
				b.OnFinish = broken.ResultsWith(b, func(store.Outcome, *store.Result) { n++ })
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					if id == "" {
						stats.Day.Delivered = n
					}
				})
			}},
		{Name: "forgets after an hour", Rule: "windows/hour",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(_ string, stats *store.Stats) {
					stats.Day = stats.Hour
				})
			}},
		{Name: "takes an hour for a day", Rule: "windows/hour",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(_ string, stats *store.Stats) {
					stats.Hour = stats.Day
				})
			}},
		{Name: "counts anew after an update", Rule: "windows/health",
			Spoil: func(b *broken.Store) {
				before := make(map[string]int)
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					stats, _ := b.Store.Stats(ctx, id)
					before[id] = stats.Day.Delivered
					return b.Store.UpdateSubscription(ctx, id, change)
				}
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					stats.Day.Delivered -= before[id]
				})
			}},
		{Name: "counts on after a delete", Rule: "windows/deleted",
			Spoil: func(b *broken.Store) {
				before := make(map[string]int)
				b.OnDelete = func(ctx context.Context, id string) error {
					stats, _ := b.Store.Stats(ctx, id)
					before[id] = stats.Day.Delivered
					return b.Store.DeleteSubscription(ctx, id)
				}
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					stats.Day.Delivered += before[id]
				})
			}},
	}
}
