package shards

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// Figures implements [store.History]. Of a tenant that was moved, they are those since it is where it
// is; what was counted before stays in the figures of all.
func (s *Store) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	if err := q.Validate(); err != nil {
		return store.Figures{}, fmt.Errorf("shards: figures: %w", err)
	}
	at := func(sh *shard) (store.Figures, error) { return sh.Figures(ctx, q) }
	if q.SubscriptionID != "" {
		return atSubscription(ctx, s, q.SubscriptionID, reads, at)
	}
	if err := s.begin(ctx); err != nil {
		return store.Figures{}, fmt.Errorf("shards: figures: %w", err)
	}
	if !q.AnyTenant {
		return atHome(ctx, s, q.Tenant, reads, at)
	}
	answers, err := calls.Each(ctx, s.calls, s.shards,
		func(ctx context.Context, sh *shard) (store.Figures, error) { return sh.Figures(ctx, q) })
	if err := firstError(s.shards, answers, err); err != nil {
		return store.Figures{}, err
	}
	return sumFigures(answers), nil
}

// sumFigures adds up the figures of shards. Each has a clock of its own, so one may be in the next
// minute already: they are added by their times, and end with the latest.
func sumFigures(answers []calls.Answer[store.Figures]) (sum store.Figures) {
	for i := range answers {
		if one := &answers[i].Out; i == 0 || one.Start.After(sum.Start) {
			sum = store.Figures{
				Start: one.Start, Each: one.Each, Sums: make([]store.Figure, len(one.Sums)),
			}
		}
	}
	for i := range answers {
		one := &answers[i].Out
		behind := int(sum.Start.Sub(one.Start) / sum.Each)
		for j := behind; j < len(one.Sums); j++ {
			sum.Sums[j-behind].Add(&one.Sums[j])
		}
	}
	return sum
}
