package published_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// laterBreakages break what few events have. Nothing waits or expires where stores are compared.
func laterBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "sends before NotBefore", Rule: "later/claims",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.NotBefore = time.Time{} })
			}},
		{Name: "makes what waits due by a requeue", Rule: "later/requeue",
			Spoil: func(b *broken.Store) {
				b.OnRequeue = func(
					ctx context.Context, q store.DeliveryQuery,
				) (store.RequeueResult, error) {
					result, err := b.Store.Requeue(ctx, q)
					result.Requeued++
					return result, err
				}
			}},
		{Name: "says that what waits is due", Rule: "later/claims",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = deliveriesWith(b, func(d *store.Delivery) {
					if d.Wait == store.WaitNotBefore {
						d.Wait = store.WaitDue
					}
				})
			}},
		{Name: "sends what has expired", Rule: "expiry/claims",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.ExpiresAt = time.Time{} })
			}},
		{Name: "shows what has expired as pending", Rule: "expiry/paused",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = deliveriesWith(b, func(d *store.Delivery) {
					if d.LastError == store.ReasonExpired {
						d.State, d.LastError = store.Pending, ""
					}
				})
			}},
		{Name: "says another time at which it expired", Rule: "expiry/held",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = deliveriesWith(b, func(d *store.Delivery) {
					if d.LastError == store.ReasonExpired {
						d.FinishedAt = time.Now()
					}
				})
			}},
		{Name: "expires late", Rule: "expiry/key",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) {
					if !ev.ExpiresAt.IsZero() {
						ev.ExpiresAt = ev.ExpiresAt.Add(time.Minute)
					}
				})
			}},
		{Name: "lists without the times of the event", Rule: "trace/window",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = deliveriesWith(b, func(d *store.Delivery) {
					d.NotBefore, d.ExpiresAt = time.Time{}, time.Time{}
				})
			}},
	}
}

// tagBreakages break what is carried with events.
func tagBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "forgets the tags", Rule: "trace/window",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Tags = nil })
			}},
		{Name: "takes the tags for content", Rule: "trace/window-not-content",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) {
					for _, tag := range ev.Tags {
						ev.Key += tag
					}
				})
			}},
		{Name: "has no tags in claims", Rule: "trace/window",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) { cl.Tags = nil })
			}},
	}
}

// deliveriesWith lists deliveries as change leaves them.
func deliveriesWith(
	b *broken.Store, change func(*store.Delivery),
) func(context.Context, store.DeliveryQuery) (store.Page[store.Delivery], error) {
	return func(
		ctx context.Context, q store.DeliveryQuery,
	) (store.Page[store.Delivery], error) {
		page, err := b.Store.Deliveries(ctx, q)
		for i := range page.Items {
			change(&page.Items[i])
		}
		return page, err
	}
}
