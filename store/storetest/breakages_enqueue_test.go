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
				if _, err := b.Store.Requeue(ctx, store.DeliveryQuery{EventID: evs[0].ID}); err != nil {
					return err
				}
				return b.Store.Enqueue(ctx, evs...)
			}
		}},
		{"leaks to another tenant", "wanted/tenants", func(b *broken) {
			b.enqueue = eventsWith(b, func(ev *events.Event) { ev.Tenant = "" })
		}},
		{"knows no grace", "wanted/grace", func(b *broken) {
			b.enqueue = func(ctx context.Context, evs ...events.Event) error {
				return b.Store.Enqueue(ctx, slices.DeleteFunc(slices.Clone(evs), func(ev events.Event) bool {
					return time.Since(ev.Time) > store.SubscribeGrace/2
				})...)
			}
		}},
		{"forgets the trace", "trace/carried", func(b *broken) {
			b.enqueue = eventsWith(b, func(ev *events.Event) { ev.Trace = "" })
		}},
		{"drops the trace of a retry", "trace/carried", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if cl.Attempt > 1 {
					cl.Trace = ""
				}
			})
		}},
		{"takes the trace for content", "trace/not-content", func(b *broken) {
			b.enqueue = eventsWith(b, func(ev *events.Event) { ev.Key += ev.Trace })
		}},
		{"keeps the last trace", "trace/not-content", func(b *broken) {
			last := make(map[string]string)
			b.enqueue = eventsWith(b, func(ev *events.Event) { last[ev.ID] = ev.Trace })
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Trace = last[cl.EventID] })
		}},
		{"takes operational types for a family's", "wanted/operational", func(b *broken) {
			b.create = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
				if slices.Contains(sub.Events, "webhook.*") {
					sub.Events = append(slices.Clone(sub.Events), events.TypeDisabled, events.TypeExhausted)
				}
				return b.Store.CreateSubscription(ctx, sub)
			}
		}},
		{"forgets the key", "keys/one-after-another", func(b *broken) {
			b.enqueue = eventsWith(b, func(ev *events.Event) { ev.Key = "" })
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

// eventsWith returns an Enqueue that changes each event.
func eventsWith(b *broken, change func(*events.Event)) func(context.Context, ...events.Event) error {
	return func(ctx context.Context, evs ...events.Event) error {
		evs = slices.Clone(evs)
		for i := range evs {
			change(&evs[i])
		}
		return b.Store.Enqueue(ctx, evs...)
	}
}
