package subscriptions_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func enqueueBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "leaks to another tenant", Rule: "wanted/tenants",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Tenant = "" })
			}},
		{Name: "knows no grace", Rule: "wanted/grace",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					return b.Store.Enqueue(ctx,
						slices.DeleteFunc(slices.Clone(evs), func(ev events.Event) bool {
							return time.Since(ev.Time) > store.SubscribeGrace/2
						})...)
				}
			}},
		{Name: "knows no filter", Rule: "filter/payload",
			Spoil: func(b *broken.Store) {
				b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription,
					error) {
					sub.Filter = ""
					return b.Store.CreateSubscription(ctx, sub)
				}
			}},
		{Name: "takes all with a filter that does not parse", Rule: "filter/broken",
			Spoil: func(b *broken.Store) {
				b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription,
					error) {
					if sub.FilterError() != nil {
						sub.Filter = ""
					}
					return b.Store.CreateSubscription(ctx, sub)
				}
			}},
		{Name: "takes operational types for a family's", Rule: "wanted/operational",
			Spoil: func(b *broken.Store) {
				b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription,
					error) {
					if slices.Contains(sub.Events, "webhook.*") {
						sub.Events = append(slices.Clone(sub.Events), events.TypeDisabled,
							events.TypeExhausted)
					}
					return b.Store.CreateSubscription(ctx, sub)
				}
			}},
	}
}
