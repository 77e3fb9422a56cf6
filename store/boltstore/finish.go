package boltstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Finish implements [store.Queue].
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	results, err := s.finish(ctx, outcomes)
	if err != nil {
		return nil, fmt.Errorf("boltstore: finish: %w", err)
	}
	return results, nil
}

// finish seals the leases of the outcomes, so that Claim leaves the deliveries alone while the
// outcomes are on their way, and has the outcomes recorded.
func (s *Store) finish(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, err
	}
	if err := s.db.check(ctx); err != nil || len(outcomes) == 0 {
		return nil, err
	}
	f := &finishing{
		outcomes: make([]txn.Outcome, len(outcomes)),
		leases:   make([]*memory.Lease, len(outcomes)),
	}
	for i, o := range outcomes {
		f.outcomes[i] = txn.NewOutcome(o)
	}
	now := s.db.now()
	s.state.Lock()
	for i := range f.outcomes {
		o := &f.outcomes[i]
		if l := s.state.memory.Present(o.Token, o.SubscriptionID, o.EventID); l != nil {
			s.state.memory.Schedule.Seal(l, o.State == store.Delivered, now)
			f.leases[i] = l
			o.Claimed, o.Id = true, pending.ID{Num: l.Sub.Num, Seq: l.Seq}
			o.KeyHash, o.AsOf = l.Data.Key, l.Data.AsOf
		}
	}
	s.state.Unlock()
	err := s.commits.submit(ctx, &op{
		run:        f.run,
		outcomes:   len(outcomes),
		nextCommit: f.awaited(),
		ended:      func(err error) { s.finishEnded(f, err) },
	})
	if err != nil {
		return nil, err
	}
	return f.results, nil
}

// finishEnded ends the leases of a Finish, or gives them back if it failed.
func (s *Store) finishEnded(f *finishing, err error) {
	for _, l := range f.leases {
		switch {
		case l == nil:
		case err != nil:
			s.state.memory.Schedule.Unseal(l)
		default: // unless it has ended, the outcome was ignored
			s.state.memory.Schedule.Release(l, s.db.now())
		}
	}
}

// finishing is a Finish on its way.
type finishing struct {
	outcomes []txn.Outcome
	leases   []*memory.Lease // of each outcome, sealed; nil if its token is not the present one
	results  []store.Result
}

// awaited reports whether something may wait for the outcomes: the next delivery of a key, or room
// in the limits of Claim, which failures make only when they are recorded.
func (f *finishing) awaited() bool {
	return slices.ContainsFunc(f.outcomes, func(o txn.Outcome) bool {
		return o.State != store.Delivered || o.KeyHash != 0
	})
}

// run records the outcomes in a transaction. It may run more than once, so it begins anew.
func (f *finishing) run(t *txn.Tx) error {
	f.results = make([]store.Result, len(f.outcomes))
	for i := range f.outcomes {
		r, err := t.FinishDelivery(&f.outcomes[i])
		if err != nil {
			return err
		}
		f.results[i] = r
	}
	return nil
}
