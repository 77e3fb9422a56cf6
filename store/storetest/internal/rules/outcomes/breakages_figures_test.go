package outcomes_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// figuresWith changes what Figures returns.
func figuresWith(b *broken.Store, change func(*store.FiguresQuery, *store.Figures)) {
	b.OnFigures = func(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
		f, err := b.Store.Figures(ctx, q)
		if err == nil {
			change(&q, &f)
		}
		return f, err
	}
}

// figuresOf asks another query.
func figuresOf(b *broken.Store, change func(*store.FiguresQuery)) {
	b.OnFigures = func(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
		change(&q)
		return b.Store.Figures(ctx, q)
	}
}

func figuresBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "figures of a tenant are of all", Rule: "figures/apart",
			Spoil: func(b *broken.Store) {
				figuresOf(b, func(q *store.FiguresQuery) { q.AnyTenant = true })
			}},
		{Name: "figures have no answers", Rule: "figures/answers",
			Spoil: func(b *broken.Store) {
				figuresWith(b, func(_ *store.FiguresQuery, f *store.Figures) {
					for i := range f.Sums {
						f.Sums[i].Answers = nil
					}
				})
			}},
		{Name: "all are in the last minute", Rule: "figures/minutes",
			Spoil: func(b *broken.Store) {
				figuresWith(b, func(_ *store.FiguresQuery, f *store.Figures) {
					last := &f.Sums[len(f.Sums)-1]
					for i := range f.Sums[:len(f.Sums)-1] {
						last.Add(&f.Sums[i])
						f.Sums[i] = store.Figure{}
					}
				})
			}},
		{Name: "figures reach back a day", Rule: "figures/hours",
			Spoil: func(b *broken.Store) {
				figuresWith(b, func(_ *store.FiguresQuery, f *store.Figures) {
					clear(f.Sums[:max(0, len(f.Sums)-int(24*time.Hour/f.Each))])
				})
			}},
		{Name: "figures of all are of those that are there", Rule: "figures/deleted",
			Spoil: func(b *broken.Store) {
				figuresOf(b, func(q *store.FiguresQuery) {
					q.AnyTenant = q.AnyTenant && q.SubscriptionID != ""
				})
			}},
		{Name: "takes any resolution", Rule: "figures/invalid",
			Spoil: func(b *broken.Store) {
				figuresOf(b, func(q *store.FiguresQuery) { q.Per = min(q.Per, store.PerHour) })
			}},
	}
}
