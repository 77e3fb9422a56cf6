package claims

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Finish is [store.Queue.Finish]. It seals the leases of the outcomes, so that Claim leaves the
// deliveries alone while the outcomes are on their way, and has the outcomes recorded. It returns
// when they are on disk. An outcome without the present token gets no lease, and the transaction
// decides whether it counts.
func (c *Claimer) Finish(
	ctx context.Context, outcomes []store.Outcome,
) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, err
	}
	if err := c.db.Check(ctx); err != nil || len(outcomes) == 0 {
		return nil, err
	}
	f := &finishing{
		outcomes: make([]txn.Outcome, len(outcomes)),
		leases:   make([]*memory.Lease, len(outcomes)),
	}
	for i, o := range outcomes {
		f.outcomes[i] = txn.NewOutcome(o)
	}
	// Before the mutex: nothing that can be done outside is done under it.
	now := c.db.Now()
	c.db.Lock()
	for i := range f.outcomes {
		o := &f.outcomes[i]
		if l := c.db.Memory.Present(o.Token, o.SubscriptionID, o.EventID); l != nil {
			// A success makes room at once. A failure does so when it is recorded: its subscription
			// may be of another class, or held, by then.
			c.db.Memory.Schedule.Seal(l, o.State == store.Delivered, now)
			f.leases[i] = l
			o.Claimed, o.Id = true, pending.ID{Num: l.Sub.Num, Seq: l.Seq}
			o.KeyHash, o.AsOf = l.Data.Key, l.Data.AsOf
		}
	}
	c.db.Unlock()
	err := c.db.Submit(ctx, &database.Op{
		Run:        f.run,
		Outcomes:   len(outcomes),
		NextCommit: f.awaited(),
		Ended:      func(err error) { c.finishEnded(f, err) },
	})
	if err != nil {
		return nil, err
	}
	return f.results, nil
}

// finishEnded ends the leases of a Finish, or gives them back if it failed. The mutex of memory
// is held.
func (c *Claimer) finishEnded(f *finishing, err error) {
	now := c.db.Now()
	for _, l := range f.leases {
		switch {
		case l == nil:
		case err != nil:
			c.db.Memory.Schedule.Unseal(l)
		default: // unless it has ended, the outcome was ignored
			c.db.Memory.Schedule.Release(l, now)
		}
	}
}

// finishing is a Finish on its way.
type finishing struct {
	outcomes []txn.Outcome
	leases   []*memory.Lease // of each outcome, sealed; nil if its token is not the present one
	results  []store.Result  // of the last run; read when Submit has returned nil
}

// awaited reports whether something may wait for the outcomes: the next delivery of a key, or room
// in the limits of Claim, which failures make only when they are recorded. If so, it does not wait
// for maxDelay.
func (f *finishing) awaited() bool {
	return slices.ContainsFunc(f.outcomes, func(o txn.Outcome) bool {
		return o.State != store.Delivered || o.KeyHash != 0
	})
}

// run records the outcomes in a transaction. It may run more than once, so it begins anew.
func (f *finishing) run(t *txn.Tx) error {
	f.results = make([]store.Result, len(f.outcomes))
	t.Counts.Expect(len(f.outcomes))
	for i := range f.outcomes {
		r, err := t.FinishDelivery(&f.outcomes[i])
		if err != nil {
			return err
		}
		f.results[i] = r
	}
	return nil
}

// Release is [store.Queue.Release]. It needs no commit: leases are not in the file.
func (c *Claimer) Release(ctx context.Context, leases []store.Lease) error {
	if err := c.db.Check(ctx); err != nil {
		return err
	}
	now := c.db.Now()
	c.db.Lock()
	defer c.db.Unlock()
	for _, given := range leases {
		// A token that is worth nothing any more is no error: the lease may have run out.
		if l := c.db.Memory.Present(given.Token, given.SubscriptionID, given.EventID); l != nil {
			c.db.Memory.Schedule.Release(l, now)
		}
	}
	return nil
}
