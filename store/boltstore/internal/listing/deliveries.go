package listing

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries reads a page, and counts what matches if that is asked for. Both go in short
// transactions, so the total may be of another moment than the page.
func (l *Lister) Deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (found store.Page[store.Delivery], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	cursor, err := page.Begin(l.db.Cursors, q)
	if err != nil {
		return found, err
	}
	walk, err := l.deliveries(ctx, q)
	if err != nil {
		return found, err
	}
	walk = walk.Within(page.BudgetOf(ctx))
	listed, searched, err := walk.Searched(cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err == nil {
		found, err = l.shown(ctx, listed, searched)
	}
	if err == nil && q.Count {
		found.Total, found.TotalIsLowerBound, err = walk.Count(store.MaxTotal)
	}
	return page.SealPage(l.db.Cursors, found), err
}

// Requeueable returns what one step is about, and the cursor for the next step. It goes from the
// oldest on, and reads in that direction only: what the steps before it have made pending must not
// be read again by each.
func (l *Lister) Requeueable(
	ctx context.Context, q *store.DeliveryQuery,
) (positions []page.Position, next string, err error) {
	cursor, err := l.db.Cursors.Open(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	walk, err := l.deliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	step, next, err := walk.StepBack(cursor, page.End(), page.Limit(q.Limit), scan.SliceSize)
	if err != nil {
		return nil, "", err
	}
	return step.Positions(), l.db.Cursors.Seal(next), nil
}
