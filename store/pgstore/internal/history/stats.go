package history

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
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
	var draining bool
	dest := append(append([]any{&sub}, health.Columns()...), &now, &draining)
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
	// replica's, unless its tenant is closed: then there may be some.
	stats.InFlight = h.inFlight(uint64(sub))
	if draining && !h.holds(uint64(sub)) {
		stats.InFlight = max(stats.InFlight, 1)
	}
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

// countTries is how often CountPending reads again because something has changed meanwhile.
const countTries = 3

// CountPending returns how many deliveries of a tenant are pending, at most limit. What has no row
// is counted in memory, if this replica has the share, and else in the database.
//
// The rows are read first, and then memory. What gets a row in between would be in neither, so all
// is read again. If that happens each time, as many are added: a quota may be reached a little
// early, and never late.
func (h *History) CountPending(ctx context.Context, tenant string, limit int) (n int, err error) {
	limit = max(limit, 0) // a negative LIMIT is an error of the server
	for range countTries {
		var noticed bool
		var nums []int64
		before := h.snapshot()
		err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			h.QueueNoticed(b, before.held, &noticed)
			b.Queue(h.SQL.NumsOfTenant, tenant).Query(sqltx.Into(&nums, pgx.RowTo[int64]))
			b.Queue(h.SQL.CountPending, tenant, limit, before.others).QueryRow(sqltx.One(&n))
		})
		if err != nil || n >= limit {
			return n, err
		}
		rowless, rowsGiven, looked := h.rowless(nums, before)
		n = min(n+rowless+rowsGiven, limit)
		if rowsGiven == 0 && !noticed && !looked {
			break
		}
		// Also if somebody takes them right now: that is waited for.
		if err := h.TakeNotices(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// snapshot is what memory has at one time.
type snapshot struct {
	held, others []int32 // shares
	rowsGiven    uint64  // see [memory.Memory.RowsGiven]
	looks        int
}

func (h *History) snapshot() snapshot {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	others := h.Memory.In(memory.Other, memory.Loading)
	if others == nil {
		others = []int32{} // nil would be NULL
	}
	return snapshot{h.Memory.Held(), others, h.Memory.RowsGiven(), h.Memory.Looks.Count()}
}

// rowless returns how many deliveries of subscriptions are pending without a row, of shares that
// memory has; how many may have got a row since an earlier time; and whether notices were taken
// since then, or are being taken.
func (h *History) rowless(nums []int64, before snapshot) (n, rowsGiven int, looked bool) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	for _, num := range nums {
		n += h.Memory.RowlessCount(uint64(num))
	}
	return n, int(h.Memory.RowsGiven() - before.rowsGiven), h.Memory.Looks.Since(before.looks)
}

// pending counts what is pending of a subscription; 0 stands for all. The figures and the oldest
// are from one statement. Nothing counts along as deliveries come and go: each publish would write
// such a counter.
func (h *History) pending(ctx context.Context, sub int64, stats *store.Stats) error {
	var oldest *time.Time
	first, last := sub, sub
	if sub == 0 {
		first, last = 1, math.MaxInt64
	}
	err := h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.Pending, first, last).QueryRow(sqltx.One(&stats.Pending, &oldest))
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

// holds reports whether this replica has the share of a subscription, and so all leases of it.
func (h *History) holds(sub uint64) bool {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	return slices.Contains(h.Memory.Held(), memory.ShareOf(sub))
}
