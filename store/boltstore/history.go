package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	found, err := s.lists.Deliveries(ctx, &q)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("boltstore: deliveries: %w", err)
	}
	return found, nil
}

// Attempts implements [store.History].
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	var attempts []store.Attempt
	err := s.db.Read(ctx, func(t *txn.Tx) error {
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

// Erase implements [store.History].
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if n, next, err = s.erasures.Erase(ctx, q); err != nil {
		return 0, "", fmt.Errorf("boltstore: erase: %w", err)
	}
	return n, next, nil
}
