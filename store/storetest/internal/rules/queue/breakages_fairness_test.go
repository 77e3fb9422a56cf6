package queue_test

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func fairnessBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "takes the oldest of all", Rule: "fairness/flood",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsOrdered(b, byNumber)
			}},
		{Name: "takes all of one before the next", Rule: "fairness/turns",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsOrdered(b, func(a, c store.Claim) int {
					return slices.Compare([]byte(a.SubscriptionID), []byte(c.SubscriptionID))
				})
			}},
		{Name: "takes Healthy ones first", Rule: "fairness/classes",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsOrdered(b, func(a, c store.Claim) int {
					switch {
					case a.Health.Healthy == c.Health.Healthy:
						return 0
					case a.Health.Healthy:
						return -1
					}
					return 1
				})
			}},
		{Name: "knows two classes", Rule: "fairness/classes",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsArranged(b, inTwoClasses)
			}},
		{Name: "takes first attempts first", Rule: "fairness/retries-take-turns",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsOrdered(b, func(a, c store.Claim) int {
					return a.Attempt - c.Attempt
				})
			}},
		{Name: "forgets PerSubscription", Rule: "limits/per-subscription",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.PerSubscription = 0
				})
			}},
		{Name: "forgets MaxUnhealthy", Rule: "limits/unhealthy",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.MaxUnhealthy = 0
				})
			}},
		{Name: "forgets Failing", Rule: "limits/failing",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.MaxFailing = 0
				})
			}},
		{Name: "lets those that fail take the room of new ones", Rule: "fairness/new",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.MaxFailing = 0
				})
			}},
		{Name: "counts new ones as failing", Rule: "fairness/new",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					if req.MaxFailing > 0 &&
						(req.MaxUnhealthy == 0 || req.MaxUnhealthy > req.MaxFailing) {
						req.MaxUnhealthy = req.MaxFailing
					}
				})
			}},
		{Name: "recovers at once", Rule: "limits/recovering",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.PerSubscription <<= store.MaxSlowStart
				})
			}},
		{Name: "forgets BreakerThreshold", Rule: "limits/probe-after",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.BreakerThreshold = 0
				})
			}},
		{Name: "probes one failure late", Rule: "limits/probe-after",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					if req.BreakerThreshold > 0 {
						req.BreakerThreshold++
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

// inTwoClasses arranges claims so that Healthy ones and all others take turns.
func inTwoClasses(claims []store.Claim) {
	var healthy, others []store.Claim
	for _, cl := range claims {
		if cl.Health.Healthy {
			healthy = append(healthy, cl)
		} else {
			others = append(others, cl)
		}
	}
	for i := range claims {
		from := &healthy
		if len(healthy) == 0 || i%2 == 1 && len(others) > 0 {
			from = &others
		}
		claims[i], *from = (*from)[0], (*from)[1:]
	}
}

// claimsOrdered returns a Claim that takes what comes first in an order of its own, and no turns.
func claimsOrdered(
	b *broken.Store, order func(a, c store.Claim) int,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return claimsArranged(b, func(claims []store.Claim) { slices.SortStableFunc(claims, order) })
}

// claimsArranged returns a Claim that takes what comes first once all has been arranged.
func claimsArranged(
	b *broken.Store, arrange func([]store.Claim),
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		want := max(0, req.Max)
		req.Max = 1 << 30
		claims, err := b.Store.Claim(ctx, req)
		arrange(claims.Claims)
		for want < len(claims.Claims) {
			last := len(claims.Claims) - 1
			if err := b.Store.Release(ctx, claims.Claims[last].Lease); err != nil {
				return store.ClaimResult{}, err
			}
			claims.Claims = claims.Claims[:last]
		}
		return claims, err
	}
}
