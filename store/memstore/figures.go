package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Figures implements [store.History].
func (s *Store) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	f, err := s.figures(ctx, &q)
	if err != nil {
		return store.Figures{}, fmt.Errorf("memstore: figures: %w", err)
	}
	return f, nil
}

func (s *Store) figures(ctx context.Context, q *store.FiguresQuery) (f store.Figures, err error) {
	if err := q.Validate(); err != nil {
		return f, err
	}
	now, err := s.begin(ctx)
	if err != nil {
		return f, err
	}
	defer s.end()
	series := rollup.NewSeries(now, q.Per)
	// All counts are in memory, and nothing writes them.
	add := func(num uint64) {
		s.attempts.Of(num, func(row rollup.Row) { series.Add(row.At, row.Counts) })
	}
	switch {
	case q.SubscriptionID != "":
		sub := s.subs[q.SubscriptionID]
		if sub == nil {
			return f, store.ErrNotFound
		}
		add(sub.num)
	case q.AnyTenant:
		add(rollup.All)
	default:
		for _, sub := range s.order {
			if sub.Tenant == q.Tenant {
				add(sub.num)
			}
		}
	}
	return series.Figures(), nil
}
