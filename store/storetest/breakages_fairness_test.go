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
		{"takes Proven ones first", "fairness/classes", func(b *broken) {
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
		{"knows two classes", "fairness/classes", func(b *broken) {
			b.claim = claimsArranged(b, inTwoClasses)
		}},
		{"takes first attempts first", "fairness/retries-take-turns", func(b *broken) {
			b.claim = claimsOrdered(b, func(a, c store.Claim) int { return a.Attempt - c.Attempt })
		}},
		{"forgets PerSubscription", "limits/per-subscription", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.PerSubscription = 0 })
		}},
		{"forgets Unproven", "limits/unproven", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Unproven = 0 })
		}},
		{"forgets Failing", "limits/failing", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Failing = 0 })
		}},
		{"lets those that fail take the room of new ones", "fairness/new", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Failing = 0 })
		}},
		{"counts new ones as failing", "fairness/new", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) {
				if req.Failing > 0 && (req.Unproven == 0 || req.Unproven > req.Failing) {
					req.Unproven = req.Failing
				}
			})
		}},
		{"recovers at once", "limits/recovering", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.PerSubscription <<= store.MaxRecovering })
		}},
		{"forgets ProbeAfter", "limits/probe-after", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.ProbeAfter = 0 })
		}},
		{"probes one failure late", "limits/probe-after", func(b *broken) {
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

// inTwoClasses arranges claims so that Proven ones and all others take turns.
func inTwoClasses(claims []store.Claim) {
	var proven, others []store.Claim
	for _, cl := range claims {
		if cl.Health.Proven {
			proven = append(proven, cl)
		} else {
			others = append(others, cl)
		}
	}
	for i := range claims {
		from := &proven
		if len(proven) == 0 || i%2 == 1 && len(others) > 0 {
			from = &others
		}
		claims[i], *from = (*from)[0], (*from)[1:]
	}
}

// claimsOrdered returns a Claim that takes what comes first in an order of its own, and no turns.
func claimsOrdered(
	b *broken, order func(a, c store.Claim) int,
) func(context.Context, store.ClaimRequest) (store.Claims, error) {
	return claimsArranged(b, func(claims []store.Claim) { slices.SortStableFunc(claims, order) })
}

// claimsArranged returns a Claim that takes what comes first once all has been arranged.
func claimsArranged(
	b *broken, arrange func([]store.Claim),
) func(context.Context, store.ClaimRequest) (store.Claims, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
		want := max(0, req.Max)
		req.Max = 1 << 30
		claims, err := b.Store.Claim(ctx, req)
		arrange(claims.Claims)
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
