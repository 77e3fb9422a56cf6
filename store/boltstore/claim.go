package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/claimloop"
)

// claimer leases deliveries that are due. It is safe for concurrent use.
type claimer struct {
	db      *database     // for reading what was leased
	state   *state        // has the schedule
	commits *commits      // for the end of deliveries that can't be read
	leasing chan struct{} // has one slot, for the claim that leases, see claiming.lease
}

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err == nil {
		err = s.db.check(ctx)
	}
	if err == nil {
		// Before anything is leased: a pause is in force for the request that it came with.
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
// not be claimed. Claims that an earlier go has made come with the error of a later one: they are
// leased, and the caller must hand them out.
func (m *claimer) claim(
	ctx context.Context, req *store.ClaimRequest,
) (store.ClaimResult, error) {
	return claimloop.Run(*req, func(req store.ClaimRequest) (claimloop.Go, error) {
		c := claiming{claimer: m, req: req, now: m.db.now()}
		// Guarded as a whole, because a claim also reads the file outside of database.read.
		err := guarded(func() error { return c.run(ctx) })
		if err == nil {
			// After run, which has ended its reading transaction: a commit that must grow the file
			// waits for all readers.
			err = m.markDead(ctx, c.damaged)
		}
		return claimloop.Go{
			Claims: c.got, NextDue: c.nextDue, Leased: c.leased, Again: c.lost > 0,
		}, err
	})
}
