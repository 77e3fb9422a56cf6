package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/claimloop"
)

// claimer leases deliveries that are due.
type claimer struct {
	db      *database
	state   *state
	commits *commits
	leasing chan struct{} // has one slot, for the claim that leases, see claiming.lease
}

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err == nil {
		err = s.db.check(ctx)
	}
	if err == nil {
		err = s.claims.pause(ctx, req.Pauses)
	}
	result := store.ClaimResult{NextDue: store.NoneDue}
	if err == nil {
		result, err = s.claims.claim(ctx, &req)
	}
	if err != nil && len(result.Claims) == 0 { // what is leased must be handed out
		return store.ClaimResult{}, fmt.Errorf("boltstore: claim: %w", err)
	}
	return result, nil
}

// claim leases and reads deliveries, and goes on as long as some of those that it has leased could
// not be claimed.
func (m *claimer) claim(
	ctx context.Context, req *store.ClaimRequest,
) (store.ClaimResult, error) {
	return claimloop.Run(*req, func(req store.ClaimRequest) (claimloop.Go, error) {
		c := claiming{claimer: m, req: req, now: m.db.now()}
		err := guarded(func() error { return c.run(ctx) })
		if err == nil {
			err = m.markDead(ctx, c.damaged)
		}
		return claimloop.Go{Claims: c.got, NextDue: c.nextDue, Again: c.lost > 0}, err
	})
}
