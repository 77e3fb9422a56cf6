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
	// Pending ones are asked for by name only: to make them due sooner is another wish than a
	// replay.
	if !q.AnyTenant {
		if err := h.requireSettled(ctx, q.Tenant); err != nil {
			return result, err
		}
	}
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	// A count would read all that matches, in each of the steps.
	q.Count = false
	// Somebody waits for that one event, so it goes before other retries of an endpoint that fails.
	// All of a backlog would be written anew for an order that nobody asked for.
	named := q.EventID != ""
	q.Cursor = page.First(q.Cursor, true) // it goes from the oldest on
	// Forward only: what is before the page was passed in the last step.
	l, err := h.list(ctx, &q, false)
	if err != nil {
		return result, err
	}
	positions, next := l.Positions(), l.Page(false).Previous
	result.Next = next
	if len(positions) == 0 {
		return result, nil
	}
	// The list and the change are two transactions. The statement looks at each delivery again and
	// leaves alone what is no longer as it was listed.
	deliveries := make([]memory.Delivery, len(positions))
	for i, p := range positions {
		deliveries[i] = memory.Delivery{Sub: p.Num, Seq: p.Seq}
	}
	subs, seqs := replica.Numbers(deliveries)
	err = sqltx.Retry(func() error {
		// In each try: what was leased may have ended. What others have leased is not known here;
		// to make that due changes nothing for its outcome.
		leasedSubs, leasedSeqs := replica.Numbers(h.leased(deliveries))
		now := h.Clock.Now() / int64(time.Microsecond)
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.LockShared, h.Writers()) // the statement passes over tenants that are closed
			// The number that all of the step get as their stamp is drawn in the statement. An
			// unsubscription that comes later has a higher one, and so cancels them.
			b.Queue(h.SQL.Requeue, seqs, subs, leasedSeqs, leasedSubs, h.Schema.Table("events"), now, named).
				QueryRow(sqltx.One(&result.Requeued, &result.Held))
		})
	})
	if err == nil {
		h.AfterNotices(ctx)
	}
	return result, err
}

// requireSettled returns an error with [schema.NotSettled] if a tenant is not settled.
func (h *History) requireSettled(ctx context.Context, tenant string) error {
	return h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.RequireSettled, record.Plain(tenant))
	})
}

// leased returns which of some deliveries are leased here. By tokens that are good now: a lease
// that has run out is free, and may be made due.
func (h *History) leased(deliveries []memory.Delivery) []memory.Delivery {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	return h.Memory.Leased(deliveries, h.Clock.Now())
}

// Recovered ends what keeps an endpoint that was down from its whole rate.
//
// It reads the health with a lock on its row, so that an outcome that is recorded at the same time
// goes before or after as a whole.
func (h *History) Recovered(ctx context.Context, subscriptionID string) error {
	changed := false
	err := sqltx.Retry(func() error {
		var stored record.Health
		var sub int64
		// New variables in each try: a column that is NULL the second time must not keep its first
		// value.
		row := append([]any{&sub}, stored.Columns()...)
		return h.DB.WriteAfter(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.HealthForUpdate, record.Plain(subscriptionID)).Query(sqltx.Each(row, func() {}))
		}, func(b *sqltx.Batch) {
			before := stored.Record() // the zero one if there is no such subscription
			after := before.Recovered()
			if changed = after != before; changed {
				var rows record.HealthRows
				rows.Add(sub, &after)
				h.QueueSettledOf(b, record.Plain(subscriptionID))
				b.Queue(h.SQL.SetHealth, rows.Args()...)
				// As the replica 0, so that this one takes the notice too: memory changes by that
				// alone.
				b.Queue(h.SQL.Notice, []int64{sub}, []int64{0}, int64(0))
			}
		})
	})
	if err == nil && changed {
		h.AfterNotices(ctx)
	}
	return err
}

// ProbeNow makes the next probes of subscriptions due. Memory learns by notices, as of an update,
// and its next Claim of such a subscription is a probe.
func (h *History) ProbeNow(ctx context.Context, subscriptionIDs []string) error {
	if len(subscriptionIDs) == 0 {
		return nil
	}
	ids := make([]string, len(subscriptionIDs))
	// An ID that can't be stored is unknown, and is ignored as others are.
	for i, id := range subscriptionIDs {
		ids[i] = record.Plain(id)
	}
	var ended int
	err := sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.LockShared, h.Writers())
			b.Queue(h.SQL.ProbeNow, ids).QueryRow(sqltx.One(&ended))
		})
	})
	// Nobody was held: there is no notice to look at.
	if err == nil && ended > 0 {
		h.AfterNotices(ctx)
	}
	return err
}
