package listing

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// allSlack is how many subscriptions more than there were a listing of all may find: of those that
// come while it reads, the others have a page of their own.
const allSlack = 1024

// Subscriptions reads a page. Without a filter, the total comes from a count that the file keeps,
// so it costs the same however many there are.
func (l *Lister) Subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	cursor, err := l.db.Cursors.Open(q.Cursor)
	if err != nil {
		return found, err
	}
	walk := l.subscriptions(ctx, q).Within(page.BudgetOf(ctx))
	limit := page.LimitOrAll(q)
	if q.Filtered() {
		found, err = walk.Page(cursor, limit, 0)
		found.TotalIsLowerBound = true
		return page.SealPage(l.db.Cursors, found), err
	}
	total := 0
	err = l.db.Read(ctx, func(t *txn.Tx) error {
		n, err := t.Subs.CountOf(q)
		total = int(n)
		return err
	})
	if err != nil {
		return found, err
	}
	if limit == 0 {
		// The page algorithm needs a limit; total alone would cut off what has come since it was
		// read.
		limit = total + allSlack
	}
	found, err = walk.Page(cursor, limit, total)
	found.Total = total
	return page.SealPage(l.db.Cursors, found), err
}

// subscriptions returns a walk of the subscriptions that q selects. By a filter it passes over
// some; a large record counts as several, so that the bound is one of time and memory too.
func (l *Lister) subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) page.Walk[store.Subscription] {
	return func(
		from page.Cursor, budget int, visit func(page.Position, *store.Subscription) bool,
	) (gaveUp *page.Position, err error) {
		var slice []scan.NumberedSubscription
		began, passed := from, 0
		for more := true; more; {
			// A caller that goes on from where the walk gave up must come further than it did.
			if passed >= budget && from != began {
				return &from.At, nil
			}
			// visit is called outside of it: it may be slow, and the transaction must be short.
			err := l.db.ReadStep(ctx, func(t *txn.Tx) (err error) {
				slice, more, err = scan.Subscriptions(t, q, from, slice[:0])
				return err
			})
			if err != nil {
				return nil, err
			}
			l.Looked.Add(int64(len(slice)))
			for i := range slice {
				at := page.Position{Num: slice[i].Num}
				if !q.Selects(&slice[i].Sub) {
					passed += 1 + slice[i].Bytes/passedBytes
				} else if !visit(at, &slice[i].Sub) {
					return nil, nil
				}
				// The next slice begins behind the last that was looked at.
				from = from.Pass(at)
			}
		}
		return nil, nil
	}
}

// passedBytes is how many bytes of a record that is passed over count as another record.
const passedBytes = 4096
