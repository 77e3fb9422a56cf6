package shards

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// lookAround is how long CreateSubscription waits for other shards to say whether they have the ID.
// One that is in trouble must keep nobody from subscribing in another, and an ID that is random is
// nowhere else.
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
	// The store of its tenant, whatever store the tenant's other subscriptions were seen in: pick and
	// the stores' word count, and not what is remembered.
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

// An ID is of one subscription in the whole Store: the calls that have an ID and no tenant would
// find either. No transaction spans two stores, so two calls with the same ID at the same moment
// can both succeed, for tenants of different stores.

// isElsewhere reports whether another shard has a subscription of the ID, as far as the others say
// so soon.
func (s *Store) isElsewhere(ctx context.Context, id string, home *shard) bool {
	if len(s.shards) == 1 { // which refuses the ID itself
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookAround)
	defer cancel()
	found := make(chan bool, len(s.shards)) // with room for those that nobody waits for
	asked := 0
	for _, sh := range s.shards {
		if sh != home && s.calls.Start(func() {
			sub, err := calls.Guard(func() (store.Subscription, error) {
				return sh.Subscription(ctx, id)
			})
			// What is left of a tenant that has moved away is no subscription any more.
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
	// By change, which is returned as it is: with the name of a store it would look like trouble.
	var refused error
	updated, err := atSubscription(ctx, s, id, writes, func(sh *shard) (store.Subscription, error) {
		// After the update: claims that a slow shard has made before it are outdated. It counts after
		// an error too, which may have come after the commit.
		defer s.claims.Changed(sh.index, id)
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

// DeleteSubscription implements [store.Subscriptions]. Its claims that a slow shard has on their
// way are given back.
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	_, err := atSubscription(ctx, s, id, writes, func(sh *shard) (struct{}, error) {
		defer s.claims.Changed(sh.index, id)
		err := sh.DeleteSubscription(ctx, id)
		if err == nil { // the ID may be used again, in any store
			s.where.forget(id)
		}
		return struct{}{}, err
	})
	return err
}

// Subscription implements [store.Subscriptions]. While its tenant is being moved, it is read where
// it was, which has it whole until the tenant is open in the other.
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return atSubscription(ctx, s, id, reads, func(sh *shard) (store.Subscription, error) {
		return sh.Subscription(ctx, id)
	})
}
