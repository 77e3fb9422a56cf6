package queue_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func pauseBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "forgets a pause", Rule: "pause/claims",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Pauses = nil
				})
			}},
		{Name: "pauses after it has claimed", Rule: "pause/before",
			Spoil: func(b *broken.Store) {
				b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult,
					error) {
					result, err := b.Store.Claim(ctx,
						store.ClaimRequest{Max: req.Max, Lease: req.Lease})
					for _, p := range req.Pauses {
						b.Pause(p.SubscriptionID, p.For)
					}
					return result, err
				}
			}},
		{Name: "takes the first pause", Rule: "pause/several",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Pauses = req.Pauses[:min(len(req.Pauses), 1)]
				})
			}},
		{Name: "takes the first of two pauses of one", Rule: "pause/several",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Pauses = slices.Clone(req.Pauses)
					slices.Reverse(req.Pauses)
				})
			}},
		{Name: "ends a pause with an update", Rule: "pause/claims",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					sub, err := b.Store.UpdateSubscription(ctx, id, change)
					b.Pause(id, 0)
					return sub, err
				}
			}},
		{Name: "pauses for ever", Rule: "pause/ends",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool { p.For *= 1000; return true })
			}},
		{Name: "keeps the longer pause", Rule: "pause/replaced",
			Spoil: func(b *broken.Store) {
				until := make(map[string]time.Time)
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool {
					end := time.Now().Add(p.For)
					if p.For > 0 && !end.After(until[p.SubscriptionID]) {
						return false
					}
					until[p.SubscriptionID] = end
					return true
				})
			}},
		{Name: "ends no pause early", Rule: "pause/ended",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool {
					p.For = max(p.For, time.Second)
					return true
				})
			}},
		{Name: "does not wait for the end of a pause", Rule: "pause/wait",
			Spoil: func(b *broken.Store) {
				var until time.Time
				b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult,
					error) {
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
		{Name: "takes a pause for a hold", Rule: "pause/hold",
			Spoil: func(b *broken.Store) {
				var paused bool
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool {
					paused = p.For > 0
					return true
				})
				b.OnFinish = broken.ResultsWith(b, func(_ store.Outcome, r *store.Result) {
					if paused {
						r.After.Probes = r.Before.Probes
					}
				})
			}},
		{Name: "takes a limit for a pause", Rule: "limits/own",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool { p.Limit = 0; return true })
			}},
		{Name: "has no limits of their own", Rule: "limits/own",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool { return p.Limit == 0 })
			}},
		{Name: "takes the lower of two limits", Rule: "limits/own",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					for i := range req.Pauses {
						if p := &req.Pauses[i]; p.Limit > 0 && req.PerSubscription > 0 {
							p.Limit = min(p.Limit, req.PerSubscription)
						}
					}
				})
			}},
		{Name: "limits for ever", Rule: "limits/own-ends",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool {
					if p.Limit > 0 && p.For > 0 {
						p.For = store.MaxDuration
					}
					return true
				})
			}},
		{Name: "ends no limit early", Rule: "limits/own-ends",
			Spoil: func(b *broken.Store) {
				b.OnClaim = pausesWith(b, func(p *store.Pause) bool {
					return p.Limit == 0 || p.For > 0
				})
			}},
		{Name: "ends a pause by a limit", Rule: "limits/own-pause",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					for _, p := range req.Pauses {
						if p.Limit > 0 {
							req.Pauses = append(slices.Clone(req.Pauses),
								store.Pause{SubscriptionID: p.SubscriptionID})
						}
					}
				})
			}},
		{Name: "takes back what is leased with a pause", Rule: "pause/leases",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				claim := b.OnClaim
				b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult,
					error) {
					for _, p := range req.Pauses {
						_ = b.Store.Release(ctx, tk.Leases(p.SubscriptionID)...)
					}
					return claim(ctx, req)
				}
			}},
		{Name: "knows whom it pauses", Rule: "pause/unknown",
			Spoil: func(b *broken.Store) {
				b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult,
					error) {
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
	b *broken.Store, change func(*store.Pause) bool,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return broken.RequestWith(b, func(req *store.ClaimRequest) {
		var pauses []store.Pause
		for _, p := range req.Pauses {
			if change(&p) {
				pauses = append(pauses, p)
			}
		}
		req.Pauses = pauses
	})
}
