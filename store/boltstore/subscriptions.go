package boltstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	err := sub.Validate()
	if err == nil {
		err = s.db.check(ctx)
	}
	sub = sub.Clone()
	var created store.Subscription
	if err == nil {
		err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
			created, err = t.Subs.Create(sub)
			return err
		}})
	}
	if err != nil {
		return store.Subscription{}, fmt.Errorf("boltstore: create subscription: %w", err)
	}
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

// lookUpSubscription reads a subscription by its ID. encoded is a copy of its record.
func (s *Store) lookUpSubscription(
	ctx context.Context, id string,
) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	err = s.db.read(ctx, func(t *txn.Tx) (err error) {
		num, sub, encoded, err = t.Subs.LookUp(id)
		return err
	})
	return num, sub, encoded, err
}

// UpdateSubscription implements [store.Subscriptions].
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
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
		is.ID, is.Tenant = was.ID, was.Tenant
		var updated store.Subscription
		err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
			updated, err = t.Subs.Update(num, was, is, encoded)
			return err
		}})
		switch {
		case err == nil:
			return updated.Clone(), nil
		case !errors.Is(err, txn.ErrChanged):
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
	}
}

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	err := s.db.check(ctx)
	if err == nil {
		err = s.commits.submit(ctx, &op{run: func(t *txn.Tx) error { return t.Subs.Delete(id) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: delete subscription: %w", err)
	}
	return nil
}
