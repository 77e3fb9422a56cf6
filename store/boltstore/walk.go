package boltstore

import (
	"context"

	"github.com/outhook/outhook/store"
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
	err := s.read(ctx, func(t *txn) (err error) {
		if q.SubscriptionID != "" {
			num, err = t.subs.number(q.SubscriptionID)
		}
		if q.EventID != "" && err == nil {
			seq, err = t.ids.find(q.EventID)
		}
		return err
	})
	if err != nil || q.SubscriptionID != "" && num == 0 || q.EventID != "" && seq == 0 {
		return nothing, err
	}
	return func(from page.Cursor, visit func(page.Position, *store.Delivery) bool) error {
		sl := slicer{q: q, num: num, seq: seq, from: from, more: true}
		for sl.more {
			if err := s.check(ctx); err != nil {
				return err
			}
			if err := s.slice(ctx, &sl); err != nil {
				return err
			}
			for i := range sl.found {
				if f := &sl.found[i]; !visit(f.at, &f.delivery) {
					return nil
				}
			}
		}
		return nil
	}, nil
}

// slice reads on.
func (s *Store) slice(ctx context.Context, sl *slicer) error {
	sl.found, sl.seen, sl.more = nil, 0, false
	if sl.num != 0 && sl.seq == 0 {
		s.sliceFresh(sl)
	}
	return s.read(ctx, func(t *txn) error {
		sl.t = t
		if err := sl.order(); err != nil {
			return err
		}
		switch {
		case sl.seq != 0:
			return sl.oneEvent()
		case sl.num != 0:
			return sl.oneSubscription()
		}
		return sl.everything()
	})
}
