package queue_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func claimBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "lets no lease run out", Rule: "claim/expiry",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					if req.Lease > 0 {
						req.Lease = max(req.Lease, store.MaxDuration)
					}
				})
			}},
		{Name: "does not count what is leased elsewhere", Rule: "limits/elsewhere",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Elsewhere = store.Leased{}
				})
			}},
		{Name: "does not say what is leased", Rule: "limits/leased",
			Spoil: func(b *broken.Store) {
				b.OnClaim = func(ctx context.Context,
					req store.ClaimRequest) (store.ClaimResult, error) {
					result, err := b.Store.Claim(ctx, req)
					result.Leased = store.Leased{}
					return result, err
				}
			}},
		{Name: "claims twice", Rule: "claim/exclusive",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Lease = min(req.Lease, time.Nanosecond)
				})
			}},
		{Name: "claims the newest first", Rule: "claim/order",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsOrdered(b, func(a, c store.Claim) int { return -byNumber(a, c) })
			}},
		{Name: "claims before it is due", Rule: "claim/due",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) { o.RetryIn = 0 })
			}},
		{Name: "claims of what is held", Rule: "claim/hold",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Probe = store.ProbePolicy{}
				})
			}},
		{Name: "gives tokens out twice", Rule: "claim/token",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) { cl.Token %= 4 })
			}},
		{Name: "writes the body anew for a retry", Rule: "claim/same-body",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if cl.Attempt > 1 {
						cl.Body = append(slices.Clone(cl.Body), ' ')
					}
				})
			}},
		{Name: "does not say when the next is due", Rule: "wait/retry",
			Spoil: func(b *broken.Store) {
				b.OnClaim = waits(b, func(time.Duration) time.Duration { return store.NoneDue })
			}},
		{Name: "waits for nothing", Rule: "wait/none",
			Spoil: func(b *broken.Store) {
				b.OnClaim = waits(b, func(d time.Duration) time.Duration {
					return min(d, time.Hour)
				})
			}},
		{Name: "numbers each attempt the first", Rule: "claim/numbers",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) { cl.Attempt = 1 })
			}},
		{Name: "takes more than Max", Rule: "claim/max",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) { req.Max++ })
			}},
	}
}

// waits returns a Claim that returns another NextDue.
func waits(
	b *broken.Store, change func(time.Duration) time.Duration,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		claims.NextDue = change(claims.NextDue)
		return claims, err
	}
}
