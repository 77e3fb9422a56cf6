package importer

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// movedError is the LastError, in the other store, of what was moved. A later import, and the
// history of this one, know by it what not to copy.
const movedError = "moved to PostgreSQL"

// history copies finished deliveries, a page at a time. The listing goes from the newest on, and so
// must the pages: the statement gives each page's events numbers below all that are stored, which
// puts it before the pages that it has stored already.
func (im *importer) history(ctx context.Context) error {
	finished := []store.State{store.Delivered, store.Dead, store.Canceled}
	q := store.DeliveryQuery{AnyTenant: true, States: finished, Limit: step}
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

// keep stores finished deliveries, but for those that were moved. Each takes a read of its attempts
// in the other store, as a listing has none of them.
func (im *importer) keep(ctx context.Context, ds []store.Delivery) error {
	var ids, types, tenants, subs, wrongs []string
	var logs, answers [][]byte
	var enqueued, finished []time.Time
	var counts []int32
	var numbers, statuses []int16
	for i := range ds {
		d := &ds[i]
		// This end is the import's own: the delivery is here, with its attempts (see move).
		if d.State == store.Dead && d.LastError == movedError {
			continue
		}
		attempts, err := im.from.Attempts(ctx, d.SubscriptionID, d.EventID)
		if err != nil {
			return err
		}
		var log, answer []byte
		// The other store has the newest attempts only, so the numbers of answers need not begin at
		// 1.
		for j := range attempts {
			log = record.AppendAttempt(log, &attempts[j])
			answer = record.AppendAnswer(answer, attempts[j].Number, attempts[j].Response)
		}
		ids, types = append(ids, d.EventID), append(types, d.EventType)
		tenants = append(tenants, d.Tenant)
		// Only text that the caller gave freely is made plain. IDs are not: one that PostgreSQL
		// can't keep is an error, since changed it would name something else.
		subs, wrongs = append(subs, d.SubscriptionID), append(wrongs, record.Plain(d.LastError))
		numbers = append(numbers, record.StateNumber(d.State))
		enqueued, finished = append(enqueued, d.CreatedAt), append(finished, d.FinishedAt)
		logs, answers = append(logs, log), append(answers, answer)
		counts, statuses = append(counts, record.Int32(d.Attempts)), append(statuses, int16(d.LastStatus))
	}
	if len(ids) == 0 {
		return nil
	}
	var kept int
	err := im.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		b.Queue(im.SQL.ImportHistory, ids, types, tenants, enqueued, subs, numbers, counts, statuses,
			finished, wrongs, logs, answers).QueryRow(sqltx.One(&kept))
	})
	im.done.Finished += kept
	im.progress(im.done)
	return err
}
