package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// movedError is the LastError of what was moved, in the old store.
const movedError = "moved to PostgreSQL"

// history copies finished deliveries, a page at a time.
func (im *importer) history(ctx context.Context) error {
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Delivered, store.Dead, store.Canceled}, Limit: importStep}
	for {
		page, err := im.from.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		if err := im.keep(ctx, page.Items); err != nil {
			return err
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// keep stores finished deliveries, but for those that were moved.
func (im *importer) keep(ctx context.Context, ds []store.Delivery) error {
	var ids, types, tenants, subs, states, wrongs, logs []string
	var enqueued, finished []time.Time
	var counts, statuses []int32
	for i := range ds {
		d := &ds[i]
		if d.State == store.Dead && d.LastError == movedError {
			continue
		}
		attempts, err := im.from.Attempts(ctx, d.SubscriptionID, d.EventID)
		if err != nil {
			return err
		}
		log := ""
		for j := range attempts {
			attempts[j].Response = nil
			log += attemptLine(&attempts[j])
		}
		ids, types, tenants = append(ids, d.EventID), append(types, d.EventType), append(tenants, d.Tenant)
		subs, states, wrongs = append(subs, d.SubscriptionID), append(states, string(d.State)), append(wrongs, plain(d.LastError))
		enqueued, finished, logs = append(enqueued, d.CreatedAt), append(finished, d.FinishedAt), append(logs, log)
		counts, statuses = append(counts, int32of(d.Attempts)), append(statuses, int32of(d.LastStatus))
	}
	if len(ids) == 0 {
		return nil
	}
	var kept int
	err := im.s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(im.s.sql.importHistory, ids, types, tenants, enqueued, subs, states, counts, statuses,
			finished, wrongs, logs).QueryRow(func(row pgx.Row) error { return row.Scan(&kept) })
	})
	im.done.Finished += kept
	return err
}
