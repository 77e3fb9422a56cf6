package liveness_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func readsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "forgets what stands behind two that end at once", Rule: "liveness/keys",
			Spoil: forgetBehind},
	}
}

// forgetBehind makes b claim nothing more of a key once two deliveries of it have ended in one
// Finish.
func forgetBehind(b *broken.Store) {
	keys := make(map[store.Lease]string) // of claims
	forgotten := make(map[string]bool)   // subscriptions and keys
	name := func(l store.Lease, key string) string { return l.SubscriptionID + key }
	b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		var kept []store.Claim
		for _, cl := range claims.Claims {
			keys[cl.Lease] = cl.Key
			if cl.Key != "" && forgotten[name(cl.Lease, cl.Key)] {
				_ = b.Store.Release(ctx, cl.Lease)
				continue
			}
			kept = append(kept, cl)
		}
		claims.Claims = kept
		return claims, err
	}
	b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		ended := make(map[string]int)
		for i, o := range outcomes {
			key := keys[o.Lease]
			if err != nil || key == "" || results[i].Ignored || o.State == store.Pending {
				continue
			}
			if ended[name(o.Lease, key)]++; ended[name(o.Lease, key)] > 1 {
				forgotten[name(o.Lease, key)] = true
			}
		}
		return results, err
	}
}
