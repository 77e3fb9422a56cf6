package shards

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// lookAround is how long CreateSubscription waits for other shards to say whether they have the ID.
const lookAround = 100 * time.Millisecond

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	if err := sub.Validate(); err != nil {
		return store.Subscription{}, fmt.Errorf("shards: create subscription: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return store.Subscription{}, fmt.Errorf("shards: create subscription: %w", err)
	}
	created, err := atHome(ctx, s, sub.Tenant, writes, func(sh *shard) (store.Subscription, error) {
		if s.isElsewhere(ctx, sub.ID, sh) {
			return store.Subscription{}, fmt.Errorf("shards: create subscription: %s: %w", sub.ID,
				store.ErrConflict)
		}
		created, err := sh.CreateSubscription(ctx, sub)
		if err == nil {
			s.where.remember(sub.ID, sh)
		}
		return created, err
	})
	return created, err
}

// isElsewhere reports whether another shard has a subscription of the ID, as far as the others say
// so soon.
func (s *Store) isElsewhere(ctx context.Context, id string, home *shard) bool {
	if len(s.shards) == 1 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookAround)
	defer cancel()
	found := make(chan bool, len(s.shards))
	asked := 0
	for _, sh := range s.shards {
		if sh != home && s.start(func() {
			sub, err := guard(func() (store.Subscription, error) {
				return sh.Subscription(ctx, id)
			})
			found <- err == nil && !s.homes.hasMoved(sh, sub.Tenant)
		}) {
			asked++
		}
	}
	for range asked {
		select {
		case is := <-found:
			if is {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// UpdateSubscription implements [store.Subscriptions].
func (s *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	var refused error // by change, which is returned as it is
	updated, err := atSubscription(ctx, s, id, writes, func(sh *shard) (store.Subscription, error) {
		defer sh.claims.changed(id)
		return sh.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
			refused = change(sub)
			return refused
		})
	})
	if err != nil && refused != nil {
		err = refused
	}
	return updated, err
}

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	_, err := atSubscription(ctx, s, id, writes, func(sh *shard) (struct{}, error) {
		defer sh.claims.changed(id)
		err := sh.DeleteSubscription(ctx, id)
		if err == nil {
			s.where.forget(id)
		}
		return struct{}{}, err
	})
	return err
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return atSubscription(ctx, s, id, reads, func(sh *shard) (store.Subscription, error) {
		return sh.Subscription(ctx, id)
	})
}
