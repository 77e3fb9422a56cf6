package boltstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/asking"
)

// Enqueue implements [store.Queue]. It returns when the events are on disk.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := record.NewEvents(evs) // needs no transaction
	if err == nil {
		err = s.db.Check(ctx)
	}
	if err == nil && len(built) > 0 {
		err = s.enqueue(ctx, built)
	}
	if err != nil {
		return fmt.Errorf("boltstore: enqueue: %w", err)
	}
	// Not before: the operation may run more than once, and it has ended now.
	s.countUnwanted(built)
	return nil
}

// enqueue stores events. The filters of those who may get them are asked here, by the caller's
// goroutine: a transaction that asked a thousand of them would hold up all publishers.
func (s *Store) enqueue(ctx context.Context, built []*record.Event) error {
	asked := make([]asking.Answers, len(built))
	for round := 1; ; round++ {
		for i, e := range built {
			s.filters.Ask(e.Tenant, e.Type, e.Body, &asked[i])
			asked[i].Here = round == asking.MaxRounds
		}
		err := s.db.Write(ctx, func(t *txn.Tx) error { return t.Enqueue(built, asked) })
		if errors.Is(err, asking.ErrUnasked) {
			continue
		}
		if err == nil {
			for i, e := range built {
				s.filters.Learn(e.Tenant, e.Type, &asked[i])
			}
		}
		return err
	}
}

// countUnwanted counts those events of a call that has been committed that nobody was to get.
func (s *Store) countUnwanted(built []*record.Event) {
	for _, e := range built {
		if e.Unwanted {
			s.statistics.unwanted.Add(e.Type)
		}
	}
}

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	result, err := s.claims.Claim(ctx, req)
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("boltstore: claim: %w", err)
	}
	return result, nil
}

// Finish implements [store.Queue].
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	results, err := s.claims.Finish(ctx, outcomes)
	if err != nil {
		return nil, fmt.Errorf("boltstore: finish: %w", err)
	}
	return results, nil
}

// Release implements [store.Queue].
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	if err := s.claims.Release(ctx, leases); err != nil {
		return fmt.Errorf("boltstore: release: %w", err)
	}
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.db.Ready() }
