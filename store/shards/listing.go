package shards

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/shards/internal/listing"
)

// Each shard lists with a cursor of its own, and package internal/listing makes pages of what they
// return. A query of one tenant goes to its shard alone, and costs what it costs there.

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("shards: subscriptions: %w", err)
	}
	l := listing.Listing[store.Subscription]{
		Stores: len(s.shards), Calls: s.calls, Limit: page.LimitOrAll(&q),
		List: func(
			ctx context.Context, i int, r listing.Read,
		) (store.Page[store.Subscription], error) {
			q := q
			q.Cursor, q.Limit = r.Cursor, r.Limit
			return s.shards[i].Subscriptions(ctx, q)
		},
		Wrap: func(i int, err error) error { return s.shards[i].wrap(err) },
		// The IDs are random, and numbers are each shard's own: only the times go with one another.
		Before: func(a, b *store.Subscription) bool { return a.CreatedAt.Before(b.CreatedAt) },
		Hides:  hides(s, func(sub *store.Subscription) string { return sub.Tenant }),
	}
	found, err := list(ctx, s, &l, q.AnyTenant, q.Tenant, q.Cursor)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("shards: subscriptions: %w", err)
	}
	return found, nil
}

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("shards: deliveries: %w", err)
	}
	l := listing.Listing[store.Delivery]{
		Stores: len(s.shards), Calls: s.calls, Limit: page.Limit(q.Limit),
		List: func(
			ctx context.Context, i int, r listing.Read,
		) (store.Page[store.Delivery], error) {
			q := q
			q.Cursor, q.Limit, q.Count = r.Cursor, r.Limit, q.Count && r.Count
			return s.shards[i].Deliveries(ctx, q)
		},
		Wrap: func(i int, err error) error { return s.shards[i].wrap(err) },
		// Newest first. That is when the event was enqueued, by the shard's clock.
		Before: func(a, b *store.Delivery) bool { return a.CreatedAt.After(b.CreatedAt) },
		Hides:  hides(s, func(d *store.Delivery) string { return d.Tenant }),
	}
	found, err := list(ctx, s, &l, q.AnyTenant, q.Tenant, q.Cursor)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("shards: deliveries: %w", err)
	}
	// Each shard has counted to there, and together they would say more than one store ever does.
	if found.Total > store.MaxTotal {
		found.Total, found.TotalIsLowerBound = store.MaxTotal, true
	}
	return found, nil
}

// The listing of one tenant is that of its shard, with cursors that name the shard. After a move
// they are none of the other one's, which begins at its start.

// list returns the page of a listing that a cursor names.
func list[T any](
	ctx context.Context, s *Store, l *listing.Listing[T], anyTenant bool, tenant, cursor string,
) (found store.Page[T], err error) {
	if err := s.begin(ctx); err != nil {
		return found, err
	}
	at, err := listing.ParseCursor(cursor)
	switch {
	case err != nil:
		return found, err
	case !anyTenant:
		return atHome(ctx, s, tenant, reads, func(sh *shard) (store.Page[T], error) {
			return l.Of(ctx, sh.index, at)
		})
	case len(s.shards) == 1: // whose cursors go on being good when another is added
		return l.Of(ctx, 0, at)
	}
	return l.Page(ctx, at)
}

// hides returns which items of a listing of all tenants a shard does not show: while a tenant is
// being moved, two have it, and one of them shows it.
func hides[T any](s *Store, tenant func(*T) string) func(int, *T) bool {
	moves := s.homes.anyMoves() // as a rule there are none, and no item need be looked at
	return func(i int, item *T) bool {
		return moves && !s.homes.isRightful(s.shards[i], tenant(item))
	}
}
