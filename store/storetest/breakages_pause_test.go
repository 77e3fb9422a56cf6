package storetest_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func pauseBreakages() []breakage {
	return []breakage{
		{"forgets a pause", "pause/claims", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Pauses = nil })
		}},
		{"pauses after it has claimed", "pause/before", func(b *broken) {
			b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
				result, err := b.Store.Claim(ctx, store.ClaimRequest{Max: req.Max, Lease: req.Lease})
				for _, p := range req.Pauses {
					b.pause(p.SubscriptionID, p.For)
				}
				return result, err
			}
		}},
		{"takes the first pause", "pause/several", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Pauses = req.Pauses[:min(len(req.Pauses), 1)] })
		}},
		{"takes the first of two pauses of one", "pause/several", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) {
				req.Pauses = slices.Clone(req.Pauses)
				slices.Reverse(req.Pauses)
			})
		}},
		{"ends a pause with an update", "pause/claims", func(b *broken) {
			b.update = func(
				ctx context.Context, id string, change func(*store.Subscription) error,
			) (store.Subscription, error) {
				sub, err := b.Store.UpdateSubscription(ctx, id, change)
				b.pause(id, 0)
				return sub, err
			}
		}},
		{"pauses for ever", "pause/ends", func(b *broken) {
			b.claim = pausesWith(b, func(p *store.Pause) bool { p.For *= 1000; return true })
		}},
		{"keeps the longer pause", "pause/replaced", func(b *broken) {
			until := make(map[string]time.Time)
			b.claim = pausesWith(b, func(p *store.Pause) bool {
				end := time.Now().Add(p.For)
				if p.For > 0 && !end.After(until[p.SubscriptionID]) {
					return false
				}
				until[p.SubscriptionID] = end
				return true
			})
		}},
		{"ends no pause early", "pause/ended", func(b *broken) {
			b.claim = pausesWith(b, func(p *store.Pause) bool { p.For = max(p.For, time.Second); return true })
		}},
		{"does not wait for the end of a pause", "pause/wait", func(b *broken) {
			var until time.Time
			b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
				for _, p := range req.Pauses {
					until = time.Now().Add(p.For)
				}
				result, err := b.Store.Claim(ctx, req)
				if time.Now().Before(until) {
					result.NextDue = store.NoneDue
				}
				return result, err
			}
		}},
		{"takes a pause for a hold", "pause/hold", func(b *broken) {
			var paused bool
			b.claim = pausesWith(b, func(p *store.Pause) bool { paused = p.For > 0; return true })
			b.finish = resultsWith(b, func(_ store.Outcome, r *store.Result) {
				if paused {
					r.After.Probes = r.Before.Probes
				}
			})
		}},
		{"takes back what is leased with a pause", "pause/leases", func(b *broken) {
			var tk tokens
			tk.watch(b)
			claim := b.claim
			b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
				for delivery, token := range tk.present {
					l := store.Lease{SubscriptionID: delivery[0], EventID: delivery[1], Token: token}
					if slices.ContainsFunc(req.Pauses, func(p store.Pause) bool { return p.SubscriptionID == l.SubscriptionID }) {
						_ = b.Store.Release(ctx, l)
					}
				}
				return claim(ctx, req)
			}
		}},
		{"knows whom it pauses", "pause/unknown", func(b *broken) {
			b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
				for _, p := range req.Pauses {
					if _, err := b.Store.Subscription(ctx, p.SubscriptionID); err != nil {
						return store.ClaimResult{}, err
					}
				}
				return b.Store.Claim(ctx, req)
			}
		}},
	}
}

// pausesWith returns a Claim that changes each pause, or leaves it out.
func pausesWith(
	b *broken, change func(*store.Pause) bool,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return requestWith(b, func(req *store.ClaimRequest) {
		var pauses []store.Pause
		for _, p := range req.Pauses {
			if change(&p) {
				pauses = append(pauses, p)
			}
		}
		req.Pauses = pauses
	})
}
