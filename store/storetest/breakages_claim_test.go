package storetest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// claimsWith returns a Claim that changes each claim.
func claimsWith(
	b *broken, change func(*store.Claim),
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		for i := range claims.Claims {
			change(&claims.Claims[i])
		}
		return claims, err
	}
}

// requestWith returns a Claim that changes the request.
func requestWith(
	b *broken, change func(*store.ClaimRequest),
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		change(&req)
		return b.Store.Claim(ctx, req)
	}
}

func claimBreakages() []breakage {
	return []breakage{
		{"lets no lease run out", "claim/expiry", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) {
				if req.Lease > 0 {
					req.Lease = max(req.Lease, store.MaxDuration)
				}
			})
		}},
		{"claims twice", "claim/exclusive", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Lease = min(req.Lease, time.Nanosecond) })
		}},
		{"claims twice under load", "concurrency/each-once", func(b *broken) {
			var mu sync.Mutex // guards n
			n := 0
			b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
				claims, err := b.Store.Claim(ctx, req)
				mu.Lock()
				defer mu.Unlock()
				if n += len(claims.Claims); len(claims.Claims) > 0 && n%10 == 0 {
					claims.Claims = append(claims.Claims, claims.Claims[0])
				}
				return claims, err
			}
		}},
		{"claims the newest first", "claim/order", func(b *broken) {
			b.claim = claimsOrdered(b, func(a, c store.Claim) int { return -byNumber(a, c) })
		}},
		{"claims before it is due", "claim/due", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.RetryIn = 0 })
		}},
		{"claims of what is held", "claim/hold", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Probe = store.ProbePolicy{} })
		}},
		{"gives tokens out twice", "claim/token", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Token %= 4 })
		}},
		{"writes the body anew for a retry", "claim/same-body", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if cl.Attempt > 1 {
					cl.Body = append(slices.Clone(cl.Body), ' ')
				}
			})
		}},
		{"does not say when the next is due", "wait/retry", func(b *broken) {
			b.claim = waits(b, func(time.Duration) time.Duration { return store.NoneDue })
		}},
		{"waits for nothing", "wait/none", func(b *broken) {
			b.claim = waits(b, func(d time.Duration) time.Duration { return min(d, time.Hour) })
		}},
		{"numbers each attempt the first", "claim/numbers", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Attempt = 1 })
		}},
		{"takes more than Max", "claim/max", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Max++ })
		}},
		{"counts a release", "release/uncounted", func(b *broken) {
			b.release = func(ctx context.Context, leases ...store.Lease) error {
				for _, l := range leases {
					if _, err := b.Store.Finish(ctx, store.Outcome{Lease: l, State: store.Pending}); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"forgets a release", "release/order", func(b *broken) {
			b.release = func(context.Context, ...store.Lease) error { return nil }
		}},
	}
}

// waits returns a Claim that answers with another Wait.
func waits(
	b *broken, change func(time.Duration) time.Duration,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		claims.NextDue = change(claims.NextDue)
		return claims, err
	}
}
