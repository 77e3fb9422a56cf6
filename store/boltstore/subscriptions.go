package boltstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	err := sub.Validate()
	if err == nil {
		err = s.db.Check(ctx)
	}
	// The caller may change its own as soon as the call returns, and the operation may run later
	// than that.
	sub = sub.Clone()
	var created store.Subscription
	if err == nil {
		err = s.db.Write(ctx, func(t *txn.Tx) (err error) {
			created, err = t.Subs.Create(sub)
			return err
		})
	}
	if err != nil {
		return store.Subscription{}, fmt.Errorf("boltstore: create subscription: %w", err)
	}
	// The transaction has kept the other one, and the operations that share it read that.
	return created.Clone(), nil
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	_, sub, _, err := s.lookUpSubscription(ctx, id)
	if err != nil {
		return store.Subscription{}, fmt.Errorf("boltstore: subscription: %w", err)
	}
	return *sub, nil
}

// lookUpSubscription reads a subscription by its ID. encoded is a copy of its record. It returns
// [store.ErrNotFound] if there is none.
func (s *Store) lookUpSubscription(
	ctx context.Context, id string,
) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	err = s.db.Read(ctx, func(t *txn.Tx) (err error) {
		num, sub, encoded, err = t.Subs.LookUp(id)
		return err
	})
	return num, sub, encoded, err
}

// UpdateSubscription implements [store.Subscriptions].
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	// change is called outside of the transaction, so another update may come first. Then this one
	// begins anew with what that has made.
	for {
		num, was, encoded, err := s.lookUpSubscription(ctx, id)
		if err != nil {
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
		is := was.Clone()
		// Here, and not where others would suffer when it panics or is slow.
		if err := change(&is); err != nil {
			return store.Subscription{}, err
		}
		is = is.Clone() // change may have kept what it put in
		if err := is.Validate(); err != nil {
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
		// Neither can be changed: keys, indexes and counts go by them.
		is.ID, is.Tenant = was.ID, was.Tenant
		var updated store.Subscription
		err = s.db.Write(ctx, func(t *txn.Tx) (err error) {
			updated, err = t.Subs.Update(num, was, is, encoded)
			return err
		})
		switch {
		case err == nil:
			return updated.Clone(), nil
		case !errors.Is(err, buckets.ErrChanged):
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
	}
}

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	found, err := s.lists.Subscriptions(ctx, &q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("boltstore: subscriptions: %w", err)
	}
	return found, nil
}

// DeleteSubscription implements [store.Subscriptions]. What it had pending is not touched here,
// however much: Prune removes it.
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	err := s.db.Check(ctx)
	if err == nil {
		err = s.db.Write(ctx, func(t *txn.Tx) error { return t.Subs.Delete(id) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: delete subscription: %w", err)
	}
	return nil
}
