package storetest_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
)

func pauseBreakages() []breakage {
	return []breakage{
		{"forgets a pause", "pause/claims", func(b *broken) {
			b.pause = func(context.Context, string, time.Duration) error { return nil }
		}},
		{"ends a pause with an update", "pause/claims", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				sub, err := b.Store.UpdateSubscription(ctx, id, change)
				_ = b.Store.Pause(ctx, id, 0)
				return sub, err
			}
		}},
		{"pauses for ever", "pause/ends", func(b *broken) {
			b.pause = pausesFor(b, func(d time.Duration) time.Duration { return d * 1000 })
		}},
		{"keeps the longer pause", "pause/replaced", func(b *broken) {
			until := make(map[string]time.Time)
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				if end := time.Now().Add(d); d <= 0 || end.After(until[id]) {
					until[id] = end
					return b.Store.Pause(ctx, id, d)
				}
				return nil
			}
		}},
		{"ends no pause early", "pause/ended", func(b *broken) {
			b.pause = pausesFor(b, func(d time.Duration) time.Duration { return max(d, time.Second) })
		}},
		{"does not say that a pause has ended", "ready/pause", func(b *broken) {
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				err := b.Store.Pause(ctx, id, d)
				drain(b)
				return err
			}
		}},
		{"does not wait for the end of a pause", "pause/wait", func(b *broken) {
			var until time.Time
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				until = time.Now().Add(d)
				return b.Store.Pause(ctx, id, d)
			}
			b.claim = waits(b, func(wait time.Duration) time.Duration {
				if time.Now().Before(until) {
					return store.NoneDue
				}
				return wait
			})
		}},
		{"takes a pause for a hold", "pause/hold", func(b *broken) {
			var paused bool
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				paused = d > 0
				return b.Store.Pause(ctx, id, d)
			}
			b.finish = resultsWith(b, func(_ store.Outcome, r *store.Result) {
				if paused {
					r.After.Probes = r.Before.Probes
				}
			})
		}},
		{"takes back what is leased with a pause", "pause/leases", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				for delivery, token := range tk.present {
					l := store.Lease{SubscriptionID: delivery[0], EventID: delivery[1], Token: token}
					if l.SubscriptionID == id {
						_ = b.Store.Release(ctx, l)
					}
				}
				return b.Store.Pause(ctx, id, d)
			}
		}},
		{"knows whom it pauses", "pause/unknown", func(b *broken) {
			b.pause = func(ctx context.Context, id string, d time.Duration) error {
				if _, err := b.Store.Subscription(ctx, id); err != nil {
					return err
				}
				return b.Store.Pause(ctx, id, d)
			}
		}},
	}
}

// pausesFor returns a Pause for another time.
func pausesFor(b *broken, other func(time.Duration) time.Duration) func(context.Context, string, time.Duration) error {
	return func(ctx context.Context, id string, d time.Duration) error {
		return b.Store.Pause(ctx, id, other(d))
	}
}
