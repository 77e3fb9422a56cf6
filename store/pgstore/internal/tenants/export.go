package tenants

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// maxExported is how many deliveries a part of a tenant has, but for one event that has more.
const maxExported = 5000

// Export returns a part of a tenant, after the one that has returned the cursor.
func (t *Tenants) Export(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	tenant = record.Plain(tenant)
	if cursor == "" {
		part.Subscriptions, err = t.subscriptions(ctx, tenant)
		part.Next = "0"
		return part, err
	}
	after, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || after < 0 {
		return part, &events.InvalidError{Field: "cursor",
			Reason: "is none of this store; pass one that an earlier part has"}
	}
	seqs, more, err := t.exportable(ctx, tenant, after, limit)
	if err != nil || len(seqs) == 0 {
		return part, err
	}
	if more {
		part.Next = strconv.FormatInt(seqs[len(seqs)-1], 10)
	}
	part.Events, err = t.events(ctx, seqs)
	return part, err
}

// subscriptions returns all subscriptions of a tenant with their health, oldest first.
func (t *Tenants) subscriptions(
	ctx context.Context, tenant string,
) (all []store.TenantSubscription, err error) {
	var nums []int64
	err = t.DB.Rows(ctx, sqltx.Into(&nums, pgx.RowTo[int64]), t.SQL.NumsOfTenant, tenant)
	if err != nil || len(nums) == 0 {
		return nil, err
	}
	states := make(replica.States, len(nums))
	err = t.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) { t.QueueStates(b, nums, states) })
	slices.Sort(nums)
	for _, num := range nums {
		if st := states[num]; st != nil {
			all = append(all, store.TenantSubscription{Subscription: st.Sub, Health: st.Health})
		}
	}
	return all, err
}

// exportable returns the next events of a tenant, and whether there may be more.
func (t *Tenants) exportable(
	ctx context.Context, tenant string, after int64, limit int,
) (seqs []int64, more bool, err error) {
	var seq int64
	var recipients, deliveries int
	read := 0
	err = t.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(t.SQL.Exportable, tenant, after, limit).
			Query(sqltx.Each([]any{&seq, &recipients}, func() {
				read++
				deliveries += recipients
				if len(seqs) == 0 || deliveries <= maxExported {
					seqs = append(seqs, seq)
				}
			}))
	})
	return seqs, read == limit || len(seqs) < read, err
}

// events returns events with what there is of their deliveries; those that have none are left out.
func (t *Tenants) events(ctx context.Context, seqs []int64) (out []store.TenantEvent, err error) {
	last := int64(0)
	err = t.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(t.SQL.ExportEvents, seqs).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var e store.TenantEvent
				var d stored
				if err := d.scan(rows, &e); err != nil {
					return err
				}
				if d.seq != last {
					out, last = append(out, e), d.seq
				}
				moved, err := d.delivery()
				if err != nil {
					return err
				}
				of := &out[len(out)-1]
				of.Deliveries = append(of.Deliveries, moved)
			}
			return rows.Err()
		})
	})
	return out, err
}

// stored is a delivery as the statement returns it.
type stored struct {
	seq             int64
	subscriptionID  string
	state           int16
	attempts, base  int
	due             int64
	since, finished *time.Time
	reason          *string
	log, answers    []byte
	bodyState       int16
	override        []byte
}

// scan reads a row: the event, and a delivery of it.
func (d *stored) scan(rows pgx.Rows, e *store.TenantEvent) error {
	ev := &e.Event
	var w record.Window
	err := rows.Scan(&d.seq, &ev.ID, &ev.Type, &ev.Tenant, &ev.Key, &ev.Trace, &ev.Time, &e.Body,
		&e.EnqueuedAt, &ev.Tags, &w.NotBefore, &w.ExpiresAt, &d.subscriptionID,
		&d.state, &d.attempts, &d.base, &d.due, &d.since, &d.finished, &d.reason, &d.log, &d.answers,
		&d.bodyState, &d.override)
	ev.Time, e.EnqueuedAt = ev.Time.UTC(), e.EnqueuedAt.UTC()
	w.Of(&ev.NotBefore, &ev.ExpiresAt)
	return err
}

// delivery returns it as another store needs it.
func (d *stored) delivery() (out store.TenantDelivery, err error) {
	out = store.TenantDelivery{
		SubscriptionID: d.subscriptionID, State: record.States[d.state], Attempts: d.attempts,
		Retry: d.attempts - d.base, FinishedAt: record.Time(d.finished),
		BodyState: store.BodyState(d.bodyState),
	}
	if d.reason != nil && (out.State == store.Canceled || d.attempts == 0) {
		out.Reason = *d.reason
	}
	if out.BodyState.HasOverride() {
		out.BodyOverride = d.override
	}
	if out.State == store.Pending && d.due != 0 {
		out.DueAt = time.UnixMicro(d.due).UTC()
		if d.due <= memory.LastAtOnce {
			out.DueAt = record.Time(d.since)
			out.Asked = d.due == order.Asked
			out.Parked = !out.Asked
		}
	}
	out.Log, err = record.ParseLog(d.attempts, d.log, d.answers)
	return out, err
}
