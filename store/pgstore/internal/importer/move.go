package importer

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// rows are the arguments of the statement that stores deliveries with their events. Each slice has
// one element a delivery, at the same index. Slices of arguments make any step one round trip.
type rows struct {
	seqs, dues                                      []int64
	ids, types, tenants, keys, subs, wrongs, traces []string
	times, enqueued                                 []time.Time
	bodies, logs, answers, overrides                [][]byte
	counts, retries                                 []int32
	statuses, bodyStates                            []int16
	few                                             record.EventColumns
}

// args returns the arguments, in the order of the parameters in importdeliveries.sql. The last
// tells the statement which due numbers are no times.
func (r *rows) args() []any {
	return append([]any{
		r.seqs, r.ids, r.types, r.tenants, r.keys, r.times, r.enqueued, r.bodies, r.subs, r.counts,
		r.retries, r.dues, r.statuses, r.wrongs, r.logs, r.answers, r.traces, r.overrides, r.bodyStates,
		memory.LastAtOnce,
	}, r.few.Args()...)
}

// add adds a delivery with the attempts that it has had; due is the zero time if it is due.
func (r *rows) add(c *store.Claim, seq int64, attempts []store.Attempt, due time.Time) {
	// NULL, and not empty, where there is nothing: the columns take no room then.
	var log, answers, override []byte
	var status int16
	wrong := ""
	for i := range attempts {
		a := &attempts[i]
		log = record.AppendAttempt(log, a)
		answers = record.AppendAnswer(answers, a.Number, record.AnswerOf(a))
		// The last attempt's stay: they are the delivery's LastStatus and LastError.
		status, wrong = int16(a.Status), record.Plain(a.Error)
	}
	if c.BodyState.HasOverride() {
		override = append([]byte{}, c.BodyOverride...) // it may be empty, and is not NULL
	}
	// One that was attempted and is due at once takes its place among retries by how often it was
	// tried. The statement puts 0 for one that was not attempted: first attempts go by their events
	// alone.
	dueAt := order.Parked(c.Attempt - 1)
	if !due.IsZero() {
		dueAt = due.UnixMicro()
	}
	// The event's number is looked up by its name, so that two deliveries of one event, claimed in
	// different steps, find the same event.
	r.seqs, r.ids = append(r.seqs, seq), append(r.ids, c.EventID)
	r.types = append(r.types, c.EventType)
	r.tenants, r.keys = append(r.tenants, c.Tenant), append(r.keys, c.Key)
	r.times, r.enqueued = append(r.times, c.EventTime), append(r.enqueued, c.EnqueuedAt)
	r.bodies, r.subs = append(r.bodies, c.Body), append(r.subs, c.SubscriptionID)
	r.counts = append(r.counts, record.Int32(c.Attempt-1))
	// The statement stores how many of the attempts are no retries, so that the schedule of retries
	// goes on where it was.
	r.retries, r.dues = append(r.retries, record.Int32(c.Retry)), append(r.dues, dueAt)
	r.statuses, r.wrongs = append(r.statuses, status), append(r.wrongs, wrong)
	r.logs, r.answers = append(r.logs, log), append(r.answers, answers)
	r.traces, r.overrides = append(r.traces, c.Trace), append(r.overrides, override)
	r.bodyStates = append(r.bodyStates, int16(c.BodyState))
	r.few.Add(&events.Event{Tags: c.Tags, NotBefore: c.NotBefore, ExpiresAt: c.ExpiresAt})
}

// move stores deliveries here, and then ends them there. If it ends between the two, the next
// import finds the delivery pending there and stored here, stores nothing, and ends it there.
func (im *importer) move(ctx context.Context, claims []store.Claim) error {
	var r rows
	outcomes := make([]store.Outcome, len(claims))
	for i := range claims {
		c := &claims[i]
		attempts, err := im.from.Attempts(ctx, c.SubscriptionID, c.EventID)
		if err != nil {
			return err
		}
		seq := im.seqs[event{c.Tenant, c.EventID}]
		r.add(c, seq, attempts, im.due[delivery{c.SubscriptionID, c.EventID}])
		// Dead, and not Delivered, which would say that the endpoint has the event. Its error says
		// what has become of it.
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Dead, Attempt: store.Attempt{
			Number: c.Attempt, At: time.Now(), Error: movedError,
		}}
	}
	var moved int
	// On disk, as Finish removes the only other copy.
	err := im.store(ctx, slices.Clone(r.tenants), func(b *sqltx.Batch) {
		b.Queue(im.SQL.ImportDeliveries, r.args()...).QueryRow(sqltx.One(&moved))
	})
	if err != nil {
		return err
	}
	im.done.Deliveries += moved
	im.progress(im.done)
	// What Finish ends may have held back others of its key. The next Claim returns these.
	_, err = im.from.Finish(ctx, outcomes...)
	return err
}
