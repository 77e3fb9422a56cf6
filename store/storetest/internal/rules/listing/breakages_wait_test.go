package listing_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// waitBreakages are stores that say something wrong of what deliveries wait for.
func waitBreakages() []broken.Breakage {
	spoil := func(change func(d *store.Delivery)) func(b *broken.Store) {
		return func(b *broken.Store) {
			b.OnDeliveries = func(ctx context.Context,
				q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				page, err := b.Store.Deliveries(ctx, q)
				for i := range page.Items {
					change(&page.Items[i])
				}
				return page, err
			}
		}
	}
	never := func(w store.Wait) func(b *broken.Store) {
		return spoil(func(d *store.Delivery) {
			if d.Wait == w {
				d.Wait, d.WaitUntil = store.WaitDue, time.Time{}
			}
		})
	}
	return []broken.Breakage{
		{Name: "calls what has ended due", Rule: "wait/due",
			Spoil: spoil(func(d *store.Delivery) {
				if d.Wait == "" {
					d.Wait = store.WaitDue
				}
			})},
		{Name: "knows no lease", Rule: "wait/under-way", Spoil: never(store.WaitUnderWay)},
		{Name: "knows no retry", Rule: "wait/retry", Spoil: never(store.WaitRetry)},
		{Name: "knows no key", Rule: "wait/key", Spoil: never(store.WaitKey)},
		{Name: "knows no pause", Rule: "wait/rate-limit", Spoil: never(store.WaitRateLimit)},
		{Name: "knows no hold", Rule: "wait/throttled", Spoil: never(store.WaitThrottled)},
		{Name: "knows no breaker", Rule: "wait/breaker", Spoil: never(store.WaitBreaker)},
		{Name: "knows no Paused", Rule: "wait/paused", Spoil: never(store.WaitPaused)},
		{Name: "says no time", Rule: "wait/retry",
			Spoil: spoil(func(d *store.Delivery) { d.WaitUntil = time.Time{} })},
		{Name: "lists without keys", Rule: "deliveries/by-answer",
			Spoil: spoil(func(d *store.Delivery) { d.Key = "" })},
		{Name: "ignores the class of an error", Rule: "deliveries/by-answer",
			Spoil: without(func(q *store.DeliveryQuery) { q.ErrorClass = "" })},
		{Name: "ignores the status of an answer", Rule: "deliveries/by-answer",
			Spoil: without(func(q *store.DeliveryQuery) { q.LastStatus = store.StatusRange{} })},
		{Name: "does not say how far it has searched", Rule: "pages/searched",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					page.SearchedTo = time.Time{}
					return page, err
				}
			}},
	}
}

// without spoils queries of deliveries.
func without(change func(q *store.DeliveryQuery)) func(b *broken.Store) {
	return func(b *broken.Store) {
		b.OnDeliveries = func(ctx context.Context,
			q store.DeliveryQuery) (store.Page[store.Delivery], error) {
			change(&q)
			return b.Store.Deliveries(ctx, q)
		}
	}
}
