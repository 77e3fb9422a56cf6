package boltstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Requeue implements [store.History].
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	result, err := s.requeue(ctx, q)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("boltstore: requeue: %w", err)
	}
	return result, nil
}

// requeue looks for one step of deliveries in transactions that read, and makes those due that
// still match in one that writes. Looking can take long, so the file's write lock is not held over
// it.
func (s *Store) requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	if err := q.Validate(); err != nil {
		return store.RequeueResult{}, err
	}
	if len(q.States) == 0 {
		// Pending must be asked for by name.
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	if !q.AnyTenant {
		if err := s.db.CheckTenant(ctx, q.Tenant); err != nil {
			return store.RequeueResult{}, err
		}
	}
	positions, next, err := s.lists.Requeueable(ctx, &q)
	if err != nil || len(positions) == 0 {
		return store.RequeueResult{Next: next}, err
	}
	q.States = slices.Clone(q.States) // run may read them after the caller has left
	var result store.RequeueResult
	err = s.db.Write(ctx, func(t *txn.Tx) (err error) {
		// leased is asked here, under the write lock: a Claim may have leased some since they were
		// found.
		result, err = t.Requeue(&q, positions, s.leased(positions))
		return err
	})
	if err != nil {
		return store.RequeueResult{}, err
	}
	result.Next = next
	return result, nil
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	err := s.db.Check(ctx)
	// run may outlive the call
	if ids := slices.Clone(subscriptionIDs); err == nil && len(ids) > 0 {
		err = s.db.Write(ctx, func(t *txn.Tx) error { return t.Subs.ProbeNow(ids) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: probe now: %w", err)
	}
	return nil
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	err := s.db.Check(ctx)
	if err == nil {
		err = s.db.Write(ctx, func(t *txn.Tx) error { return t.Subs.Recovered(subscriptionID) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: recovered: %w", err)
	}
	return nil
}

// leased returns which of some deliveries are leased. It takes the mutex once for all of them, so
// what it returns is of one moment, and can be called without the mutex.
func (s *Store) leased(positions []page.Position) func(page.Position) bool {
	s.db.Lock()
	defer s.db.Unlock()
	// A lease that has run out keeps nothing from being made due.
	s.db.Memory.Schedule.Expire(s.db.Now())
	busy := make(map[page.Position]bool)
	for _, p := range positions {
		if q := s.db.Memory.Schedule.Sub(p.Num); q != nil && q.Busy(p.Seq) {
			busy[p] = true
		}
	}
	return func(p page.Position) bool { return busy[p] }
}
