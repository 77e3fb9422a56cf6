package boltstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
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
		if err := s.db.checkTenant(ctx, q.Tenant); err != nil {
			return store.RequeueResult{}, err
		}
	}
	positions, next, err := s.lists.requeueable(ctx, &q)
	if err != nil || len(positions) == 0 {
		return store.RequeueResult{Next: next}, err
	}
	q.States = slices.Clone(q.States) // run may read them after the caller has left
	var result store.RequeueResult
	err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
		// leased is asked here, under the write lock: a Claim may have leased some since they were
		// found.
		result, err = t.Requeue(&q, positions, s.leased(positions))
		return err
	}})
	if err != nil {
		return store.RequeueResult{}, err
	}
	result.Next = next
	return result, nil
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	err := s.db.check(ctx)
	// run may outlive the call
	if ids := slices.Clone(subscriptionIDs); err == nil && len(ids) > 0 {
		err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) error { return t.Subs.ProbeNow(ids) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: probe now: %w", err)
	}
	return nil
}

// requeueable returns what one step is about, and the cursor for the next step. It goes from the
// oldest on, and reads in that direction only: what the steps before it have made pending must not
// be read again by each.
func (l *lister) requeueable(
	ctx context.Context, q *store.DeliveryQuery,
) (positions []page.Position, next string, err error) {
	cursor, err := l.cursors.Open(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	walk, err := l.deliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	step, next, err := walk.StepBack(cursor, page.End(), page.Limit(q.Limit), scan.SliceSize)
	if err != nil {
		return nil, "", err
	}
	return step.Positions(), l.cursors.Seal(next), nil
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	err := s.db.check(ctx)
	if err == nil {
		err = s.commits.submit(ctx,
			&op{run: func(t *txn.Tx) error { return t.Subs.Recovered(subscriptionID) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: recovered: %w", err)
	}
	return nil
}

// leased returns which of some deliveries are leased. It takes the mutex once for all of them, so
// what it returns is of one moment, and can be called without the mutex.
func (s *Store) leased(positions []page.Position) func(page.Position) bool {
	s.state.Lock()
	defer s.state.Unlock()
	// A lease that has run out keeps nothing from being made due.
	s.state.memory.Schedule.Expire(s.db.now())
	busy := make(map[page.Position]bool)
	for _, p := range positions {
		if q := s.state.memory.Schedule.Sub(p.Num); q != nil && q.Busy(p.Seq) {
			busy[p] = true
		}
	}
	return func(p page.Position) bool { return busy[p] }
}
