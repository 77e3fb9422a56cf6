package history

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Stats returns the statistics of a subscription; "" stands for all. It returns store.ErrNotFound
// if there is no such subscription.
func (h *History) Stats(ctx context.Context, subscriptionID string) (stats store.Stats, err error) {
	if subscriptionID == "" {
		return h.statsOfAll(ctx)
	}
	var health record.Health
	var sub int64
	var now time.Time
	dest := append(append([]any{&sub}, health.Columns()...), &now)
	err = h.DB.Row(ctx, h.SQL.HealthOf, subscriptionID)(dest...)
	if isUnknown(err) {
		return stats, store.ErrNotFound
	}
	if err == nil {
		err = h.pending(ctx, sub, &stats)
	}
	if err != nil {
		return stats, err
	}
	stats.InFlight = h.inFlight(uint64(sub))
	stats.Subscriptions, stats.Health = 1, health.Record()
	stats.FailingSince = stats.Health.FailingSince()
	w, err := h.counts.Window(ctx, sub, now)
	stats.Hour, stats.Day = w.Hour(), w.Day()
	return stats, err
}

func (h *History) statsOfAll(ctx context.Context) (stats store.Stats, err error) {
	err = h.pending(ctx, 0, &stats)
	if err == nil {
		err = h.DB.Row(ctx, h.SQL.CountSubscriptions)(&stats.Subscriptions)
	}
	stats.InFlight = h.inFlight(0)
	return stats, err
}

// CountPending returns how many deliveries of a tenant are pending, at most limit.
func (h *History) CountPending(ctx context.Context, tenant string, limit int) (n int, err error) {
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.CountPending, tenant, max(limit, 0)).QueryRow(sqltx.One(&n))
	})
	return n, err
}

// pending counts what is pending of a subscription; 0 stands for all.
func (h *History) pending(ctx context.Context, sub int64, stats *store.Stats) error {
	var oldest *time.Time
	err := h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.Pending, sub).QueryRow(sqltx.One(&stats.Pending, &oldest))
	})
	stats.OldestPending = record.Time(oldest)
	return err
}

func (h *History) inFlight(sub uint64) int {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	return h.Memory.InFlight(sub, h.Clock.Now())
}
