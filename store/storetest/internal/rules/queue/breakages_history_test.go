package queue_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func historyBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "counts leases that have run out", Rule: "claim/expiry",
			Spoil: func(b *broken.Store) {
				b.OnStats = func(ctx context.Context, id string) (store.Stats, error) {
					stats, err := b.Store.Stats(ctx, id)
					stats.InFlight = stats.Pending
					return stats, err
				}
			}},
	}
}
