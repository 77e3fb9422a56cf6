package storetest_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func enqueueBreakages() []breakage {
	return []breakage{
		{"acknowledges without storing", "enqueue/record", func(b *broken) {
			b.enqueue = func(context.Context, ...events.Event) error { return nil }
		}},
		{"stores half a batch", "enqueue/all-or-nothing", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				for _, ev := range evs {
					if err := b.Store.Enqueue(ctx, ev); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"stores half a batch before a conflict", "enqueue/conflict-atomic", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				err := b.Store.Enqueue(ctx, evs...)
				if errors.Is(err, store.ErrConflict) {
					_ = b.Store.Enqueue(ctx, evs[:len(evs)-1]...)
					_ = b.Store.Enqueue(ctx, evs[len(evs)-1])
				}
				return err
			}
		}},
		{"knows an event by its ID only", "enqueue/conflict", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				if err := b.Store.Enqueue(ctx, evs...); !errors.Is(err, store.ErrConflict) {
					return err
				}
				return nil
			}
		}},
		{"stores an event again", "enqueue/idempotent", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				if _, _, err := b.Store.Requeue(ctx, store.DeliveryQuery{EventID: evs[0].ID}); err != nil {
					return err
				}
				return b.Store.Enqueue(ctx, evs...)
			}
		}},
		{"leaks to another tenant", "wanted/tenants", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				evs = slices.Clone(evs)
				for i := range evs {
					evs[i].Tenant = ""
				}
				return b.Store.Enqueue(ctx, evs...)
			}
		}},
		{"knows no grace", "wanted/grace", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				return b.Store.Enqueue(ctx, slices.DeleteFunc(slices.Clone(evs), func(ev events.Event) bool {
					return time.Since(ev.Time) > store.SubscribeGrace/2
				})...)
			}
		}},
		{"forgets the key", "keys/one-after-another", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				evs = slices.Clone(evs)
				for i := range evs {
					evs[i].Key = ""
				}
				return b.Store.Enqueue(ctx, evs...)
			}
		}},
		{"keeps a reference to the payload", "values/event", func(b *broken) {
			bodies := make(map[string]events.Event)
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				for _, ev := range evs {
					bodies[ev.ID] = ev
				}
				return b.Store.Enqueue(ctx, evs...)
			}
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Body = bodies[cl.EventID].Payload })
		}},
		{"never says that it is ready", "ready/enqueue", func(b *broken) {
			b.ready = func() <-chan struct{} { return nil }
		}},
		{"goes on when the context has ended", "calls/ended-context", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				return b.Store.Enqueue(context.WithoutCancel(ctx), evs...)
			}
		}},
	}
}
