package storetest_test

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
)

func fairnessBreakages() []breakage {
	return []breakage{
		{"takes the oldest of all", "fairness/flood", func(b *broken) {
			b.claim = claimsOrdered(b, byNumber)
		}},
		{"takes all of one before the next", "fairness/turns", func(b *broken) {
			b.claim = claimsOrdered(b, func(a, c store.Claim) int {
				return slices.Compare([]byte(a.SubscriptionID), []byte(c.SubscriptionID))
			})
		}},
		{"takes Proven ones first", "fairness/alternation", func(b *broken) {
			b.claim = claimsOrdered(b, func(a, c store.Claim) int {
				switch {
				case a.Health.Proven == c.Health.Proven:
					return 0
				case a.Health.Proven:
					return -1
				}
				return 1
			})
		}},
		{"takes first attempts first", "fairness/retries-take-turns", func(b *broken) {
			b.claim = claimsOrdered(b, func(a, c store.Claim) int { return a.Attempt - c.Attempt })
		}},
		{"forgets PerSubscription", "fairness/per-subscription", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.PerSubscription = 0 })
		}},
		{"forgets Unproven", "fairness/unproven", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Unproven = 0 })
		}},
		{"forgets ProbeAfter", "fairness/probe-after", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.ProbeAfter = 0 })
		}},
		{"probes one failure late", "fairness/probe-after", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) {
				if req.ProbeAfter > 0 {
					req.ProbeAfter++
				}
			})
		}},
	}
}

// byNumber orders claims by their event's ID, which tests number.
func byNumber(a, c store.Claim) int {
	if d := len(a.EventID) - len(c.EventID); d != 0 {
		return d
	}
	return slices.Compare([]byte(a.EventID), []byte(c.EventID))
}

// claimsOrdered returns a Claim that takes what comes first in an order of its own, and no turns.
func claimsOrdered(
	b *broken, order func(a, c store.Claim) int,
) func(context.Context, store.ClaimRequest) (store.Claims, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
		want := max(0, req.Max)
		req.Max = 1 << 30
		claims, err := b.Store.Claim(ctx, req)
		slices.SortStableFunc(claims.Claims, order)
		for want < len(claims.Claims) {
			last := len(claims.Claims) - 1
			if err := b.Store.Release(ctx, claims.Claims[last].Lease); err != nil {
				return store.Claims{}, err
			}
			claims.Claims = claims.Claims[:last]
		}
		return claims, err
	}
}
