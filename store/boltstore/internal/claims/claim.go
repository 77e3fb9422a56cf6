package claims

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/internal/claimloop"
)

// Claimer leases deliveries that are due, and records what becomes of them. Make one with [New]. It
// is safe for concurrent use.
type Claimer struct {
	db      *database.DB
	leasing chan struct{} // has one slot, for the claim that leases, see claiming.lease
}

// New returns a Claimer of a store.
func New(db *database.DB) *Claimer { return &Claimer{db: db, leasing: make(chan struct{}, 1)} }

// Claim is [store.Queue.Claim].
func (c *Claimer) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err == nil {
		err = c.db.Check(ctx)
	}
	if err == nil {
		// Before anything is leased: a pause is in force for the request that it came with.
		err = c.pause(ctx, req.Pauses)
	}
	if err != nil {
		return store.ClaimResult{}, err
	}
	result, err := c.claim(ctx, &req)
	if err != nil && len(result.Claims) == 0 { // what is leased must be handed out
		return store.ClaimResult{}, err
	}
	return result, nil
}

// claim leases and reads deliveries, and goes on as long as some of those that it has leased could
// not be claimed. Claims that an earlier go has made come with the error of a later one: they are
// leased, and the caller must hand them out.
func (c *Claimer) claim(
	ctx context.Context, req *store.ClaimRequest,
) (store.ClaimResult, error) {
	return claimloop.Run(*req, func(req store.ClaimRequest) (claimloop.Go, error) {
		one := claiming{Claimer: c, req: req, now: c.db.Now()}
		// Guarded as a whole, because a claim also reads the file outside of DB.Read.
		err := database.Guard(func() error { return one.run(ctx) })
		if err == nil {
			// After run, which has ended its reading transaction: a commit that must grow the file
			// waits for all readers.
			err = c.end(ctx, one.damaged, one.expired)
		}
		return claimloop.Go{
			Claims: one.got, NextDue: one.nextDue, Leased: one.leased, Again: one.lost > 0,
		}, err
	})
}
