package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// allSlack is how many subscriptions more than there were a listing of all may find: of those that
// come while it reads, the others have a page of their own.
const allSlack = 1024

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	found, err := s.subscriptions(ctx, &q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("boltstore: subscriptions: %w", err)
	}
	return found, nil
}

// subscriptions reads a page. The total comes from a count that the file keeps, so it costs the
// same however many there are.
func (s *Store) subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	cursor, err := s.lists.cursors.Open(q.Cursor)
	if err != nil {
		return found, err
	}
	total := 0
	err = s.db.read(ctx, func(t *txn.Tx) error {
		n, err := t.Subs.CountOf(q)
		total = int(n)
		return err
	})
	if err != nil {
		return found, err
	}
	limit := page.LimitOrAll(q.Limit)
	if limit == 0 {
		// The page algorithm needs a limit; total alone would cut off what has come since it was
		// read.
		limit = total + allSlack
	}
	found, err = s.lists.subscriptions(ctx, q).Page(cursor, limit, total)
	found.Total = total
	return page.SealPage(s.lists.cursors, found), err
}

// subscriptions returns a walk of the subscriptions that q selects.
func (l *lister) subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) page.Walk[store.Subscription] {
	return func(
		from page.Cursor, _ int, visit func(page.Position, *store.Subscription) bool,
	) (gaveUp *page.Position, err error) { // it passes over nothing, so it never gives up
		var slice []scan.NumberedSubscription
		for more := true; more; {
			// visit is called outside of it: it may be slow, and the transaction must be short.
			err := l.db.readStep(ctx, func(t *txn.Tx) (err error) {
				slice, more, err = scan.Subscriptions(t, q, from, slice[:0])
				return err
			})
			if err != nil {
				return nil, err
			}
			for i := range slice {
				at := page.Position{Num: slice[i].Num}
				if !visit(at, &slice[i].Sub) {
					return nil, nil
				}
				// The next slice begins behind the last that was visited.
				from = from.Pass(at)
			}
		}
		return nil, nil
	}
}
