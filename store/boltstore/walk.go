package boltstore

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// lister reads the pages of lists, each in short transactions. It is safe for concurrent use; each
// walk is for one goroutine.
type lister struct {
	db      *database
	state   *state
	cursors *page.Sealer // as callers have them; walks take them open
}

// deliveries returns a walk of the deliveries that q selects.
func (l *lister) deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (page.Walk[store.Delivery], error) {
	// For names that are unknown: no delivery matches, and that is no error.
	nothing := func(page.Cursor, func(page.Position, *store.Delivery) bool) error { return nil }
	var num, seq uint64
	err := l.db.read(ctx, func(t *txn.Tx) (err error) {
		if q.SubscriptionID != "" {
			num, err = t.Subs.Number(q.SubscriptionID)
		}
		if q.EventID == "" || err != nil {
			return err
		}
		tenant := q.Tenant
		if num != 0 && q.AnyTenant { // Validate has seen that a subscription is named
			tenant, err = t.Subs.Tenant(num)
		}
		if err == nil {
			seq, err = t.IDs.Find(tenant, q.EventID)
		}
		return err
	})
	if err != nil || q.SubscriptionID != "" && num == 0 || q.EventID != "" && seq == 0 {
		return nothing, err
	}
	return func(from page.Cursor, visit func(page.Position, *store.Delivery) bool) error {
		// Each walk begins anew: a page asks for several, in both directions.
		sl := scan.DeliveryReader{Q: q, Num: num, Seq: seq, From: from, More: true}
		for sl.More {
			if err := l.readSlice(ctx, &sl); err != nil {
				return err
			}
			for i := range sl.Found {
				// Outside of the transaction, see scan.
				if f := &sl.Found[i]; !visit(f.At, &f.Delivery) {
					return nil
				}
			}
		}
		return nil
	}, nil
}

// readSlice reads on. It reads one slice, in one transaction.
func (l *lister) readSlice(ctx context.Context, sl *scan.DeliveryReader) error {
	// Only a listing of one subscription goes by what memory knows; the others go by the events.
	if sl.Num != 0 && sl.Seq == 0 {
		l.listImplicit(sl)
	}
	return l.db.read(ctx, sl.Read)
}

// listImplicit gets what memory knows. It must come before the transaction: what is not implicit
// any more when that begins, is in the file.
func (l *lister) listImplicit(sl *scan.DeliveryReader) {
	l.state.Lock()
	defer l.state.Unlock()
	sl.Implicit = nil
	if q := l.state.memory.Schedule.Sub(sl.Num); q != nil {
		if first, ok := sl.Edge(); ok && !sl.From.Back {
			sl.Implicit = q.ImplicitDown(first, scan.SliceSize)
		} else if ok {
			sl.Implicit = q.ImplicitUp(first, scan.SliceSize)
		}
	}
	// It may say so in vain, which costs another slice.
	sl.MoreImplicit = len(sl.Implicit) == scan.SliceSize
}
