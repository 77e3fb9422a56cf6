package history

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Figures returns the figures that a query asks for. It returns store.ErrNotFound if there is no
// such subscription.
func (h *History) Figures(ctx context.Context, q *store.FiguresQuery) (store.Figures, error) {
	nums, err := h.numsOf(ctx, q)
	if err != nil {
		return store.Figures{}, err
	}
	return h.counts.Figures(ctx, time.Unix(0, h.Clock.Now()), q.Per, nums...)
}

// numsOf returns the numbers of the subscriptions that a query is about.
func (h *History) numsOf(ctx context.Context, q *store.FiguresQuery) (nums []int64, err error) {
	if q.AnyTenant && q.SubscriptionID == "" {
		return []int64{rollup.All}, nil
	}
	sql, name := h.SQL.NumsOfTenant, q.Tenant
	if q.SubscriptionID != "" {
		sql, name = h.SQL.NumOf, q.SubscriptionID
	}
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(sql, name).Query(sqltx.Into(&nums, pgx.RowTo[int64]))
	})
	if err == nil && q.SubscriptionID != "" && len(nums) == 0 {
		err = store.ErrNotFound
	}
	return nums, err
}
