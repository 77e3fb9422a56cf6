package boltstore

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// walkDeliveries returns a walker of the deliveries that q selects.
func (s *Store) walkDeliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (page.Walk[store.Delivery], error) {
	nothing := func(page.Cursor, func(page.Position, *store.Delivery) bool) error { return nil }
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	var num, seq uint64
	err := s.read(ctx, func(t *txn.Tx) (err error) {
		if q.SubscriptionID != "" {
			num, err = t.Subs.Number(q.SubscriptionID)
		}
		if q.EventID != "" && err == nil {
			seq, err = t.IDs.Find(q.EventID)
		}
		return err
	})
	if err != nil || q.SubscriptionID != "" && num == 0 || q.EventID != "" && seq == 0 {
		return nothing, err
	}
	return func(from page.Cursor, visit func(page.Position, *store.Delivery) bool) error {
		sl := scan.DeliveryReader{Q: q, Num: num, Seq: seq, From: from, More: true}
		for sl.More {
			if err := s.check(ctx); err != nil {
				return err
			}
			if err := s.slice(ctx, &sl); err != nil {
				return err
			}
			for i := range sl.Found {
				if f := &sl.Found[i]; !visit(f.At, &f.Delivery) {
					return nil
				}
			}
		}
		return nil
	}, nil
}

// slice reads on.
func (s *Store) slice(ctx context.Context, sl *scan.DeliveryReader) error {
	if sl.Num != 0 && sl.Seq == 0 {
		s.listImplicit(sl)
	}
	return s.read(ctx, sl.Read)
}

// listImplicit gets what memory knows. It must come before the transaction: what is not implicit
// any more when that begins, is in the file.
func (s *Store) listImplicit(sl *scan.DeliveryReader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.Implicit = nil
	if q := s.memory.Schedule.Sub(sl.Num); q != nil {
		if first, ok := sl.Edge(); ok && !sl.From.Back {
			sl.Implicit = q.ImplicitDown(first, scan.SliceSize)
		} else if ok {
			sl.Implicit = q.ImplicitUp(first, scan.SliceSize)
		}
	}
	sl.MoreImplicit = len(sl.Implicit) == scan.SliceSize
}
