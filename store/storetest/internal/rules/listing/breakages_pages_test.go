package listing_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// pageBreakages are stores that list the wrong deliveries, or page them wrongly.
func pageBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "skips one after each page", Rule: "pages/deliveries",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					q.Limit++
					page, err := b.Store.Deliveries(ctx, q)
					page.Items = page.Items[:min(len(page.Items), q.Limit-1)]
					return page, err
				}
			}},
		{Name: "ends a listing with a page that is short", Rule: "pages/short",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					if len(page.Items) < q.Limit && q.Limit < store.DefaultDeliveryLimit {
						page.Next = ""
					}
					return page, err
				}
			}},
		{Name: "skips what follows a short page", Rule: "pages/short",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					if page.Next == "" || len(page.Items) >= q.Limit {
						return page, err
					}
					q.Cursor = page.Next
					next, err := b.Store.Deliveries(ctx, q)
					page.Next = next.Next
					return page, err
				}
			}},
		{Name: "calls a lower bound a total", Rule: "pages/counted-to",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					page.TotalIsLowerBound = false
					return page, err
				}
			}},
		{Name: "shows another tenant's", Rule: "deliveries/tenant",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					q.AnyTenant = true
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "ignores the tag", Rule: "deliveries/by-tag",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					q.Tag = ""
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "takes Until as included", Rule: "deliveries/since-until",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					if !q.Until.IsZero() {
						q.Until = q.Until.Add(time.Nanosecond)
					}
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "lists oldest first", Rule: "deliveries/newest-first",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					slices.Reverse(page.Items)
					return page, err
				}
			}},
		{Name: "counts all events in its cursors", Rule: "pages/cursors-tell-nothing",
			Spoil: func(b *broken.Store) {
				const size = 11 // of the number in base64
				count := uint64(0)
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					count += uint64(len(evs))
					return b.Store.Enqueue(ctx, evs...)
				}
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					if len(q.Cursor) > size {
						q.Cursor = q.Cursor[size:]
					}
					page, err := b.Store.Deliveries(ctx, q)
					if page.Next != "" {
						number := binary.BigEndian.AppendUint64(nil, count)
						page.Next = base64.RawURLEncoding.EncodeToString(number) + page.Next
					}
					return page, err
				}
			}},
	}
}
