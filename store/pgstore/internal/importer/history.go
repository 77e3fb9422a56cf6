package importer

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// movedError is the LastError, in the other store, of what was moved. A later import, and the
// history of this one, know by it what not to copy.
const movedError = "moved to PostgreSQL"

// finished selects what history copies.
var finished = []store.State{store.Delivered, store.Dead, store.Canceled}

// room reserves numbers for the events of the history, which must be below those of what is
// pending.
func (im *importer) room(ctx context.Context) error {
	// By pages: a Total ends at store.MaxTotal.
	n, q := 0, store.DeliveryQuery{AnyTenant: true, States: finished, Limit: step}
	for {
		page, err := im.from.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		n += len(page.Items)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	var err error
	im.numbers, err = im.reserve(ctx, n) // an event has one delivery at least
	return err
}

// history copies finished deliveries, a page at a time. The listing goes from the newest on, and so
// do the numbers of their events, down from the highest that was reserved.
func (im *importer) history(ctx context.Context) error {
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

// keep stores those of some finished deliveries that were not moved and are not here. Each takes
// two reads in the other store, as a listing has neither attempts nor bodies; so what an import
// before has copied is left out first.
func (im *importer) keep(ctx context.Context, ds []store.Delivery) error {
	var fresh []store.Delivery
	known, err := im.known(ctx, ds)
	if err != nil {
		return err
	}
	for i := range ds {
		// This end is the import's own: the delivery is here, with its attempts (see move).
		moved := ds[i].State == store.Dead && ds[i].LastError == movedError
		if !moved && !known[i] {
			fresh = append(fresh, ds[i])
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	// Newest first, so that an event which is met twice has got its number.
	seqs := make(map[event]int64)
	var rows historyRows
	for i := range fresh {
		e := event{fresh[i].Tenant, fresh[i].EventID}
		if _, there := seqs[e]; !there {
			if seqs[e], err = im.next(ctx); err != nil {
				return err
			}
		}
		if err := im.addHistory(ctx, &rows, &fresh[i], seqs[e]); err != nil {
			return err
		}
	}
	var kept int
	err = im.store(ctx, slices.Clone(rows.tenants), func(b *sqltx.Batch) {
		b.Queue(im.SQL.ImportHistory, rows.args()...).QueryRow(sqltx.One(&kept))
	})
	im.done.Finished += kept
	im.progress(im.done)
	return err
}

// known reports which of some deliveries are here, by their indexes.
func (im *importer) known(ctx context.Context, ds []store.Delivery) (map[int]bool, error) {
	subs, ids := make([]string, len(ds)), make([]string, len(ds))
	for i := range ds {
		subs[i], ids[i] = ds[i].SubscriptionID, ds[i].EventID
	}
	known := make(map[int]bool)
	var ord int
	err := im.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(im.SQL.ImportKnown, subs, ids).
			Query(sqltx.Each([]any{&ord}, func() { known[ord-1] = true }))
	})
	return known, err
}

// next returns the number of the next event of the history, each lower than the one before. If more
// is found than was counted, others are reserved, and what is left comes after what is pending.
func (im *importer) next(ctx context.Context) (seq int64, err error) {
	if len(im.numbers) == 0 {
		if im.numbers, err = im.reserve(ctx, step); err != nil {
			return 0, err
		}
	}
	last := len(im.numbers) - 1
	seq, im.numbers = im.numbers[last], im.numbers[:last]
	return seq, nil
}

// reserve draws numbers of the order of events, ascending.
func (im *importer) reserve(ctx context.Context, n int) (seqs []int64, err error) {
	err = im.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		b.Queue(im.SQL.Reserve, n, im.Schema.Table("events")).
			Query(sqltx.Into(&seqs, pgx.RowTo[int64]))
	})
	return seqs, err
}

// historyRows are the arguments of the statement that stores finished deliveries. Each slice has
// one element a delivery, at the same index.
type historyRows struct {
	seqs                      []int64
	ids, types, tenants, keys []string
	traces, subs, wrongs      []string
	times, enqueued, finished []time.Time
	bodies, logs, answers     [][]byte
	attempts                  []int32
	states, statuses          []int16
	few                       record.EventColumns
}

// args returns the arguments, in the order of the parameters in importhistory.sql.
func (r *historyRows) args() []any {
	return append([]any{
		r.seqs, r.ids, r.types, r.tenants, r.keys, r.times, r.traces, r.bodies, r.enqueued, r.subs,
		r.states, r.attempts, r.statuses, r.finished, r.wrongs, r.logs, r.answers,
	}, r.few.Args()...)
}

// addHistory adds a delivery with its attempts and its event.
func (im *importer) addHistory(
	ctx context.Context, r *historyRows, d *store.Delivery, seq int64,
) error {
	attempts, err := im.from.Attempts(ctx, d.SubscriptionID, d.EventID)
	if err != nil {
		return err
	}
	ev, err := im.from.Event(ctx, d.Tenant, d.EventID)
	if err != nil {
		return err
	}
	var log, answer []byte
	// The other store has the newest attempts only, so the numbers of answers need not begin at 1.
	for i := range attempts {
		log = record.AppendAttempt(log, &attempts[i])
		answer = record.AppendAnswer(answer, attempts[i].Number, record.AnswerOf(&attempts[i]))
	}
	var body []byte // NULL stands for an erased one
	if len(ev.Body) > 0 {
		body = ev.Body
	}
	r.seqs, r.bodies = append(r.seqs, seq), append(r.bodies, body)
	r.ids, r.types = append(r.ids, ev.ID), append(r.types, ev.Type)
	r.tenants, r.keys = append(r.tenants, ev.Tenant), append(r.keys, ev.Key)
	r.times, r.enqueued = append(r.times, ev.Time), append(r.enqueued, ev.EnqueuedAt)
	r.traces = append(r.traces, ev.Trace)
	r.few.Add(&events.Event{Tags: ev.Tags, NotBefore: ev.NotBefore, ExpiresAt: ev.ExpiresAt})
	// Only text that the caller gave freely is made plain. IDs are not: one that PostgreSQL can't
	// keep is an error, since changed it would name something else.
	r.subs, r.wrongs = append(r.subs, d.SubscriptionID), append(r.wrongs, record.Plain(d.LastError))
	r.states = append(r.states, record.StateNumber(d.State))
	r.finished = append(r.finished, d.FinishedAt)
	r.logs, r.answers = append(r.logs, log), append(r.answers, answer)
	r.attempts = append(r.attempts, record.Int32(d.Attempts))
	r.statuses = append(r.statuses, int16(d.LastStatus))
	return nil
}
