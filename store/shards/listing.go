package shards

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	if err := q.Validate(); err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("shards: subscriptions: %w", err)
	}
	l := listing[store.Subscription]{
		Store: s,
		limit: page.LimitOrAll(&q),
		list: func(
			ctx context.Context, sh *shard, cursor string, limit int,
		) (store.Page[store.Subscription], error) {
			q := q
			q.Cursor, q.Limit = cursor, limit
			return sh.Subscriptions(ctx, q)
		},
		before: func(a, b *store.Subscription) bool { return a.CreatedAt.Before(b.CreatedAt) },
		tenant: func(sub *store.Subscription) string { return sub.Tenant },
	}
	found, err := l.run(ctx, q.AnyTenant, q.Tenant, q.Cursor)
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
	l := listing[store.Delivery]{
		Store: s,
		limit: page.Limit(q.Limit),
		list: func(
			ctx context.Context, sh *shard, cursor string, limit int,
		) (store.Page[store.Delivery], error) {
			q := q
			q.Cursor, q.Limit = cursor, limit
			return sh.Deliveries(ctx, q)
		},
		before: func(a, b *store.Delivery) bool { return a.CreatedAt.After(b.CreatedAt) },
		tenant: func(d *store.Delivery) string { return d.Tenant },
	}
	found, err := l.run(ctx, q.AnyTenant, q.Tenant, q.Cursor)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("shards: deliveries: %w", err)
	}
	if found.Total > store.MaxTotal { // each shard has counted to there
		found.Total, found.TotalIsLowerBound = store.MaxTotal, true
	}
	return found, nil
}

// listing makes pages of what several shards list. The shards' cursors are opaque, so a boundary in
// the middle of a page that a shard has returned is found by asking for the page again, with so
// many items as its limit.
type listing[T any] struct {
	*Store
	limit  int // zero if there is none
	list   func(ctx context.Context, sh *shard, cursor string, limit int) (store.Page[T], error)
	before func(a, b *T) bool
	tenant func(*T) string
}

// run returns the page that a cursor names.
func (l *listing[T]) run(
	ctx context.Context, anyTenant bool, tenant, text string,
) (found store.Page[T], err error) {
	if err := l.begin(ctx); err != nil {
		return found, err
	}
	at, err := parseCursor(text)
	switch {
	case err != nil:
		return found, err
	case !anyTenant:
		return atHome(ctx, l.Store, tenant, reads, func(sh *shard) (store.Page[T], error) {
			return l.ofOne(ctx, sh, at)
		})
	case len(l.shards) == 1:
		return l.ofOne(ctx, l.shards[0], at)
	}
	sides, err := l.read(ctx, &at)
	if err != nil {
		return found, err
	}
	l.merge(sides, at.back)
	return l.page(ctx, sides, at.back)
}

// ofOne returns a page of one shard.
func (l *listing[T]) ofOne(ctx context.Context, sh *shard, at cursor) (store.Page[T], error) {
	found, err := l.list(ctx, sh, at.of(sh).text, l.limit)
	found.Next = oneCursor(sh, found.Next, false)
	found.Previous = oneCursor(sh, found.Previous, false)
	return found, err
}

// read reads from all shards as much as a page can need of each.
func (l *listing[T]) read(ctx context.Context, at *cursor) ([]*side[T], error) {
	answers, err := each(ctx, l.Store, l.shards,
		func(ctx context.Context, sh *shard) (*side[T], error) {
			sd := &side[T]{listing: l, sh: sh, from: at.of(sh)}
			if at.back {
				return sd, sd.readBack(ctx)
			}
			return sd, sd.readOn(ctx)
		})
	if err = firstError(l.shards, answers, err); err != nil {
		return nil, err
	}
	sides := make([]*side[T], len(answers))
	for i := range answers {
		sides[i] = answers[i].out
	}
	return sides, nil
}

// merge says how many items of each side are on the page: of those that come next to the boundary
// in the order of all.
func (l *listing[T]) merge(sides []*side[T], back bool) {
	for n := 0; l.limit == 0 || n < l.limit; n++ {
		var next *side[T]
		for _, sd := range sides {
			if sd.taken == len(sd.items) {
				continue
			}
			// If they are equal, the first shard's comes first, which is last on the way back.
			if next == nil || !back && l.before(sd.next(back), next.next(back)) ||
				back && !l.before(sd.next(back), next.next(back)) {
				next = sd
			}
		}
		if next == nil {
			return
		}
		next.taken++
	}
}

// page returns the page that the sides make.
func (l *listing[T]) page(
	ctx context.Context, sides []*side[T], back bool,
) (found store.Page[T], err error) {
	next, previous := cursor{}, cursor{back: true}
	var more, before bool
	for _, sd := range sides {
		more = more || sd.hasNext(back)
		before = before || sd.hasPrevious(back)
		found.Total += sd.total
		found.TotalIsLowerBound = found.TotalIsLowerBound || sd.least
		if err := sd.cut(ctx, back); err != nil {
			return store.Page[T]{}, sd.sh.wrap(err)
		}
		next.entries = append(next.entries, sd.after)
		previous.entries = append(previous.entries, sd.before)
	}
	found.Items = l.inOrder(sides)
	if more {
		found.Next = next.String()
	}
	if before {
		found.Previous = previous.String()
	}
	return found, nil
}

// inOrder returns the items of all sides, but for those of a tenant that another shard has, which
// both show while it is being moved.
func (l *listing[T]) inOrder(sides []*side[T]) (all []T) {
	moves := l.homes.anyMoves()
	for _, sd := range sides {
		sd.taken = 0
	}
	for {
		var next *side[T]
		for _, sd := range sides {
			if sd.taken < len(sd.items) &&
				(next == nil || l.before(&sd.items[sd.taken], &next.items[next.taken])) {
				next = sd
			}
		}
		if next == nil {
			return slices.Clip(all)
		}
		item := &next.items[next.taken]
		next.taken++
		if !moves || l.isRightful(next.sh, l.tenant(item)) {
			all = append(all, *item)
		}
	}
}

// isRightful reports whether a shard is the one that shows a tenant.
func (s *Store) isRightful(sh *shard, tenant string) bool {
	st, _ := s.homes.state(sh, tenant)
	switch st.Phase {
	case store.TenantArriving, store.TenantGone:
		return false
	case store.TenantLeaving: // until it is settled in the other
		there, known := s.homes.state(s.shards[st.Peer], tenant)
		return !known || there.Phase == store.TenantArriving
	}
	return true
}
