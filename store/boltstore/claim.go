package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// maxTries bounds how often a Claim goes on because what it had leased was not there, or can't be
// read: an event that is damaged may have many recipients, and each try takes a commit.
const maxTries = 8

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
) (result store.ClaimResult, err error) {
	for try := 1; ; try++ {
		c := claiming{claimer: m, req: *req, now: m.db.now(), got: result.Claims}
		c.req.Max -= len(c.got)
		if err = guarded(func() error { return c.run(ctx) }); err != nil {
			return result, err
		}
		result.Claims, result.Leased = c.got, c.leased
		// The first try alone has asked for all that the request allows.
		if try == 1 {
			result.NextDue = c.nextDue
		}
		if err = m.markDead(ctx, c.damaged); err != nil || c.lost == 0 {
			return result, err
		}
		if try == maxTries {
			result.NextDue = 0 // there may be more
			return result, nil
		}
	}
}
