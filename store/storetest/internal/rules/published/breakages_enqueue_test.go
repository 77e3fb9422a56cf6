package published_test

import (
	"context"
	"errors"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func enqueueBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "acknowledges without storing", Rule: "enqueue/record",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(context.Context, ...events.Event) error { return nil }
			}},
		{Name: "stores half a batch", Rule: "enqueue/all-or-nothing",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					for _, ev := range evs {
						if err := b.Store.Enqueue(ctx, ev); err != nil {
							return err
						}
					}
					return nil
				}
			}},
		{Name: "stores half a batch before a conflict", Rule: "enqueue/conflict-atomic",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					err := b.Store.Enqueue(ctx, evs...)
					if errors.Is(err, store.ErrConflict) {
						_ = b.Store.Enqueue(ctx, evs[:len(evs)-1]...)
						_ = b.Store.Enqueue(ctx, evs[len(evs)-1])
					}
					return err
				}
			}},
		{Name: "knows an event by its ID only", Rule: "enqueue/conflict",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					if err := b.Store.Enqueue(ctx, evs...); !errors.Is(err, store.ErrConflict) {
						return err
					}
					return nil
				}
			}},
		{Name: "takes an event that nobody wants for a new one", Rule: "enqueue/conflict-unwanted",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					err := b.Store.Enqueue(ctx, evs...)
					if !errors.Is(err, store.ErrConflict) {
						return err
					}
					subs, listErr := b.Store.Subscriptions(ctx, store.SubscriptionQuery{})
					for _, sub := range subs.Items {
						if events.Wants(sub.Events, evs[0].Type) {
							return err
						}
					}
					return listErr
				}
			}},
		{Name: "stores an event again", Rule: "enqueue/idempotent",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					if _, err := b.Store.Requeue(ctx,
						store.DeliveryQuery{EventID: evs[0].ID}); err != nil {
						return err
					}
					return b.Store.Enqueue(ctx, evs...)
				}
			}},
		{Name: "forgets the trace", Rule: "trace/carried",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Trace = "" })
			}},
		{Name: "drops the trace of a retry", Rule: "trace/carried",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if cl.Attempt > 1 {
						cl.Trace = ""
					}
				})
			}},
		{Name: "takes the trace for content", Rule: "trace/not-content",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Key += ev.Trace })
			}},
		{Name: "keeps the last trace", Rule: "trace/not-content",
			Spoil: func(b *broken.Store) {
				last := make(map[string]string)
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) {
					last[ev.ID] = ev.Trace
				})
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					cl.Trace = last[cl.EventID]
				})
			}},
		{Name: "forgets the key", Rule: "keys/one-after-another",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Key = "" })
			}},
	}
}
