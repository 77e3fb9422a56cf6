package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	found, err := s.deliveries(ctx, &q)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("boltstore: deliveries: %w", err)
	}
	return found, nil
}

// deliveries reads a page, and counts what matches if that is asked for. Both go in short
// transactions, so the total may be of another moment than the page.
func (s *Store) deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (found store.Page[store.Delivery], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	cursor, err := s.lists.cursors.Open(q.Cursor)
	if err != nil {
		return found, err
	}
	walk, err := s.lists.deliveries(ctx, q)
	if err != nil {
		return found, err
	}
	walk = walk.Within(page.BudgetOf(ctx))
	found, err = walk.Page(cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err == nil && q.Count {
		found.Total, found.TotalIsLowerBound, err = walk.Count(store.MaxTotal)
	}
	return page.SealPage(s.lists.cursors, found), err
}

// Attempts implements [store.History].
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	var attempts []store.Attempt
	err := s.db.read(ctx, func(t *txn.Tx) error {
		_, _, r, ok, err := t.LookUp(subscriptionID, eventID)
		if err != nil {
			return err
		}
		if !ok {
			return store.ErrNotFound
		}
		// Copied, since they share memory with the file, and that is gone when the transaction
		// ends.
		return r.EachAttempt(func(a record.Attempt) { attempts = append(attempts, a.Clone()) })
	})
	if err != nil {
		return nil, fmt.Errorf("boltstore: attempts: %w", err)
	}
	return attempts, nil
}
