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
	var ids, types, tenants, subs, wrongs []string
	var logs, answers [][]byte
	var enqueued, finished []time.Time
	var counts []int32
	var numbers, statuses []int16
	for i := range ds {
		d := &ds[i]
		if d.State == store.Dead && d.LastError == movedError {
			continue
		}
		attempts, err := im.from.Attempts(ctx, d.SubscriptionID, d.EventID)
		if err != nil {
			return err
		}
		var log, answer []byte
		for j := range attempts {
			log = appendAttempt(log, &attempts[j])
			answer = appendAnswer(answer, attempts[j].Number, attempts[j].Response)
		}
		ids, types, tenants = append(ids, d.EventID), append(types, d.EventType), append(tenants, d.Tenant)
		subs, numbers, wrongs = append(subs, d.SubscriptionID), append(numbers, stateNumber(d.State)), append(wrongs, plain(d.LastError))
		enqueued, finished = append(enqueued, d.CreatedAt), append(finished, d.FinishedAt)
		logs, answers = append(logs, log), append(answers, answer)
		counts, statuses = append(counts, int32of(d.Attempts)), append(statuses, int16(d.LastStatus))
	}
	if len(ids) == 0 {
		return nil
	}
	var kept int
	err := im.s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(im.s.sql.ImportHistory, ids, types, tenants, enqueued, subs, numbers, counts, statuses,
			finished, wrongs, logs, answers).QueryRow(func(row pgx.Row) error { return row.Scan(&kept) })
	})
	im.done.Finished += kept
	im.progress(im.done)
	return err
}
