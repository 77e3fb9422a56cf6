package liveness_test

import (
	"context"
	"sync"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func claimBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "claims twice under load", Rule: "concurrency/each-once",
			Spoil: func(b *broken.Store) {
				var mu sync.Mutex // guards n
				n := 0
				b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult,
					error) {
					claims, err := b.Store.Claim(ctx, req)
					mu.Lock()
					defer mu.Unlock()
					if n += len(claims.Claims); len(claims.Claims) > 0 && n%10 == 0 {
						claims.Claims = append(claims.Claims, claims.Claims[0])
					}
					return claims, err
				}
			}},
	}
}
