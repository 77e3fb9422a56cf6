package history

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Stats returns the statistics of a subscription; "" stands for all. It returns store.ErrNotFound
// if there is no such subscription. It is several short reads and no snapshot: figures that belong
// together are from one statement.
func (h *History) Stats(ctx context.Context, subscriptionID string) (stats store.Stats, err error) {
	if subscriptionID == "" {
		return h.statsOfAll(ctx)
	}
	var health record.Health
	var sub int64
	var now time.Time
	dest := append(append([]any{&sub}, health.Columns()...), &now)
	// The time comes with the health, so that the windows end where the server's clock is.
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
	// Leases are in memory only, each in that of its owner. This is 0 for a share of another
	// replica's.
	stats.InFlight = h.inFlight(uint64(sub))
	stats.Subscriptions, stats.Health = 1, health.Record()
	stats.FailingSince = stats.Health.FailingSince()
	// Last: a damaged row of counts is an error, beside which the rest is right.
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

// CountPending returns how many deliveries of a tenant are pending, at most limit. It needs no
// memory of an owner, so any replica can keep a quota.
func (h *History) CountPending(ctx context.Context, tenant string, limit int) (n int, err error) {
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		// A negative LIMIT is an error of the server.
		b.Queue(h.SQL.CountPending, tenant, max(limit, 0)).QueryRow(sqltx.One(&n))
	})
	return n, err
}

// pending counts what is pending of a subscription; 0 stands for all. The figures and the oldest
// are from one statement. Nothing counts along as deliveries come and go: each publish would write
// such a counter.
func (h *History) pending(ctx context.Context, sub int64, stats *store.Stats) error {
	var oldest *time.Time
	err := h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.Pending, sub).QueryRow(sqltx.One(&stats.Pending, &oldest))
	})
	stats.OldestPending = record.Time(oldest)
	return err
}

// It takes back what has run out first, so that a lease counts no longer than it lasts.
func (h *History) inFlight(sub uint64) int {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	return h.Memory.InFlight(sub, h.Clock.Now())
}
