package pgstore

import (
	"context"
	"errors"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/catalogue"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	return call(ctx, s, "create subscription", sub.Validate(), func() (store.Subscription, error) {
		return s.catalogue.Create(ctx, &sub)
	})
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return call(ctx, s, "subscription", nil, func() (store.Subscription, error) {
		return s.catalogue.Get(ctx, id)
	})
}

// UpdateSubscription implements [store.Subscriptions].
//
// No lock is held while change runs: if another update has come between, it runs again on the
// result of that.
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	sub, err := call(ctx, s, "update subscription", nil, func() (store.Subscription, error) {
		return s.catalogue.Update(ctx, id, change)
	})
	if own := (*catalogue.ChangeError)(nil); errors.As(err, &own) {
		err = own.Err // as the caller made it
	}
	return sub, err
}

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	return s.run(ctx, "delete subscription", func() error { return s.catalogue.Delete(ctx, id) })
}

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	return call(ctx, s, "subscriptions", q.Validate(), func() (store.Page[store.Subscription], error) {
		return inClear(s, &q.Cursor, func() (store.Page[store.Subscription], error) {
			return s.catalogue.List(ctx, &q)
		})
	})
}
