package queue_test

import (
	"context"
	"maps"
	"net/url"
	"sync"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// shareBreakages are of how tenants, hosts and slow endpoints share what there is.
func shareBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "takes turns by subscription, and not by tenant", Rule: "tenants/turns",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsArranged(b, inTurns(subscriptionOf))
			}},
		{Name: "counts leases, and not the time they take", Rule: "tenants/slot-time",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsArranged(b, inTurns(tenantOf))
			}},
		{Name: "forgets PerTenant", Rule: "tenants/per-tenant",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.PerTenant = 0
				})
			}},
		{Name: "limits a host without tenants by PerTenant", Rule: "tenants/per-tenant",
			Spoil: func(b *broken.Store) {
				limited(b, tenantOf, func(req *store.ClaimRequest) int { return req.PerTenant })
			}},
		{Name: "forgets PerHost", Rule: "tenants/per-host",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.PerHost = 0
				})
			}},
		{Name: "takes all hosts for one", Rule: "tenants/per-host",
			Spoil: func(b *broken.Store) {
				one := func(store.Claim) string { return "one" }
				limited(b, one, func(req *store.ClaimRequest) int { return req.PerHost })
			}},
		{Name: "knows a host by its spelling", Rule: "tenants/per-host",
			Spoil: func(b *broken.Store) { limited(b, hostOf, takePerHost) }},
		{Name: "counts the leases of a host where they went", Rule: "tenants/per-host-url",
			Spoil: keepsHosts},
		{Name: "knows no slow ones", Rule: "throttle/slow",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Attempt.Duration = min(o.Attempt.Duration, store.SlowLatency)
				})
			}},
		{Name: "lets slow ones take all slots", Rule: "throttle/slow",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.MaxUnhealthy = 0
				})
			}},
	}
}

func subscriptionOf(cl store.Claim) string { return cl.SubscriptionID }
func tenantOf(cl store.Claim) string       { return cl.Subscription.Tenant }

func hostOf(cl store.Claim) string {
	u, err := url.Parse(cl.Subscription.URL)
	if err != nil {
		panic(err)
	}
	return u.Host
}

// takePerHost returns PerHost, and makes the store that is broken ignore it.
func takePerHost(req *store.ClaimRequest) int {
	limit := req.PerHost
	req.PerHost = 0
	return limit
}

// inTurns arranges claims so that within each class those of different keys take turns, one each.
func inTurns(key func(store.Claim) string) func([]store.Claim) {
	return func(claims []store.Claim) {
		var byClass [store.Classes][]store.Claim
		for _, cl := range claims {
			class := cl.Health.Class()
			byClass[class] = append(byClass[class], cl)
		}
		for class := range byClass {
			byClass[class] = oneEach(byClass[class], key)
		}
		for i, cl := range claims {
			class := cl.Health.Class()
			claims[i], byClass[class] = byClass[class][0], byClass[class][1:]
		}
	}
}

// oneEach returns claims in such an order.
func oneEach(claims []store.Claim, key func(store.Claim) string) (arranged []store.Claim) {
	had := make(map[string]int)
	for round := 0; len(arranged) < len(claims); round++ {
		clear(had)
		for _, cl := range claims {
			if had[key(cl)] == round {
				arranged = append(arranged, cl)
			}
			had[key(cl)]++
		}
	}
	return arranged
}

// limited makes a store hold a limit of its own on the leases that have the same key.
func limited(
	b *broken.Store, key func(store.Claim) string, limit func(*store.ClaimRequest) int,
) {
	var mu sync.Mutex // guards keys
	keys := make(map[store.Lease]string)
	forget := func(l store.Lease) {
		mu.Lock()
		defer mu.Unlock()
		delete(keys, l)
	}
	// full reports whether there is no room for one more, and else counts it.
	full := func(cl store.Claim, most int) bool {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for k := range maps.Values(keys) {
			if k == key(cl) {
				n++
			}
		}
		if most == 0 || n < most {
			keys[cl.Lease] = key(cl)
			return false
		}
		return true
	}
	b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		most := limit(&req)
		result, err := b.Store.Claim(ctx, req)
		var kept []store.Claim
		for _, cl := range result.Claims {
			if !full(cl, most) {
				kept = append(kept, cl)
			} else if err := b.Store.Release(ctx, cl.Lease); err != nil {
				return store.ClaimResult{}, err
			}
		}
		result.Claims = kept
		return result, err
	}
	b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) { forget(o.Lease) })
	b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
		for _, l := range leases {
			forget(l)
		}
		return b.Store.Release(ctx, leases...)
	}
}

// keepsHosts makes a store count leases for the host that their subscription had at first.
func keepsHosts(b *broken.Store) {
	var mu sync.Mutex // guards first
	first := make(map[string]string)
	limited(b, func(cl store.Claim) string {
		mu.Lock()
		defer mu.Unlock()
		if first[cl.SubscriptionID] == "" {
			first[cl.SubscriptionID] = hostOf(cl)
		}
		return first[cl.SubscriptionID]
	}, takePerHost)
}
