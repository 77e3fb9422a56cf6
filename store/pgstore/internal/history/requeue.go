package history

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Requeue makes finished deliveries that match pending again, a page of them. The caller has
// validated the query.
func (h *History) Requeue(
	ctx context.Context, q store.DeliveryQuery,
) (result store.RequeueResult, err error) {
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	q.Count = false
	named := q.EventID != ""
	if q.Cursor == "" { // it goes from the oldest on
		q.Cursor = page.Cursor{At: page.End(), Back: true}.String()
	}
	l, err := h.list(ctx, &q, false)
	if err != nil {
		return result, err
	}
	positions, next := l.Positions(), l.Page(false).Previous
	result.Next = next
	if len(positions) == 0 {
		return result, nil
	}
	deliveries := make([]memory.Delivery, len(positions))
	for i, p := range positions {
		deliveries[i] = memory.Delivery{Sub: p.Num, Seq: p.Seq}
	}
	subs, seqs := replica.Numbers(deliveries)
	err = sqltx.Retry(func() error {
		leasedSubs, leasedSeqs := replica.Numbers(h.leased(deliveries))
		now := h.Clock.Now() / int64(time.Microsecond)
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.Requeue, seqs, subs, leasedSeqs, leasedSubs, h.Schema.Table("events"), now, named).
				QueryRow(sqltx.One(&result.Requeued, &result.Held))
		})
	})
	if err == nil {
		h.AfterNotices(ctx)
	}
	return result, err
}

// leased returns which of some deliveries are leased here.
func (h *History) leased(deliveries []memory.Delivery) []memory.Delivery {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	return h.Memory.Leased(deliveries, h.Clock.Now())
}

// Recovered ends what keeps an endpoint that was down from its whole rate.
func (h *History) Recovered(ctx context.Context, subscriptionID string) error {
	changed := false
	err := sqltx.Retry(func() error {
		var stored record.Health
		var sub int64
		row := append([]any{&sub}, stored.Columns()...)
		return h.DB.WriteAfter(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.HealthForUpdate, record.Plain(subscriptionID)).Query(sqltx.Each(row, func() {}))
		}, func(b *sqltx.Batch) {
			before := stored.Record() // the zero one if there is no such subscription
			after := before.Recovered()
			if changed = after != before; changed {
				var rows record.HealthRows
				rows.Add(sub, &after)
				b.Queue(h.SQL.SetHealth, rows.Args()...)
				b.Queue(h.SQL.Notice, []int64{sub}, []int64{0}, int64(0))
			}
		})
	})
	if err == nil && changed {
		h.AfterNotices(ctx)
	}
	return err
}

// ProbeNow makes the next probes of subscriptions due.
func (h *History) ProbeNow(ctx context.Context, subscriptionIDs []string) error {
	if len(subscriptionIDs) == 0 {
		return nil
	}
	ids := make([]string, len(subscriptionIDs))
	for i, id := range subscriptionIDs {
		ids[i] = record.Plain(id)
	}
	var ended int
	err := sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.ProbeNow, ids).QueryRow(sqltx.One(&ended))
		})
	})
	if err == nil && ended > 0 {
		h.AfterNotices(ctx)
	}
	return err
}
