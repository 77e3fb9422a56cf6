package history_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func countPendingBreakages() []broken.Breakage {
	type counter = func(b *broken.Store, tenant string, limit int) (int, error)
	count := func(f counter) func(*broken.Store) {
		return func(b *broken.Store) {
			b.OnCount = func(_ context.Context, tenant string, limit int) (int, error) {
				return f(b, tenant, limit)
			}
		}
	}
	return []broken.Breakage{
		{Name: "counts the pending of every tenant", Rule: "count-pending/tenant",
			Spoil: count(func(b *broken.Store, _ string, limit int) (int, error) {
				stats, err := b.Store.Stats(context.Background(), "")
				return min(stats.Pending, limit), err
			})},
		{Name: "does not count what is leased", Rule: "count-pending/tenant",
			Spoil: count(func(b *broken.Store, tenant string, limit int) (int, error) {
				n, err := b.Store.CountPending(context.Background(), tenant, limit)
				if err != nil {
					return 0, err
				}
				stats, err := b.Store.Stats(context.Background(), "")
				return max(n-stats.InFlight, 0), err
			})},
		{Name: "counts more than the limit", Rule: "count-pending/limit",
			Spoil: count(func(b *broken.Store, tenant string, _ int) (int, error) {
				return b.Store.CountPending(context.Background(), tenant, 1000)
			})},
		{Name: "counts what has ended", Rule: "count-pending/ended",
			Spoil: count(func(b *broken.Store, tenant string, limit int) (int, error) {
				page, err := b.Store.Deliveries(context.Background(),
					store.DeliveryQuery{Tenant: tenant, Count: true, Limit: 1})
				return min(page.Total, limit), err
			})},
	}
}
