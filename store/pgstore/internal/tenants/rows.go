package tenants

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
)

// rows are the arguments of the statement that stores events with their deliveries.
type rows struct {
	// One element an event.
	seqs            []int64
	ids, types      []string
	tenants, keys   []string
	times, enqueued []time.Time
	traces          []string
	bodies          [][]byte
	few             record.EventColumns

	// One element a delivery. A pointer is for what may be NULL.
	of, subs        []int64
	states          []int16
	dues            []*int64
	since, finished []*time.Time
	attempts, bases []int32
	statuses        []int16
	errs, reasons   []*string
	logs, answers   [][]byte
	bodyStates      []int16
	overrides       [][]byte
}

// args returns the arguments, in the order of the parameters in importtenant.sql.
func (r *rows) args() []any {
	return append([]any{
		r.seqs, r.ids, r.types, r.tenants, r.keys, r.times, r.traces, r.bodies, r.enqueued,
		r.of, r.subs, r.states, r.dues, r.since, r.finished, r.attempts, r.bases, r.statuses,
		r.errs, r.reasons, r.logs, r.answers, r.bodyStates, r.overrides,
	}, r.few.Args()...)
}

// add adds an event with those of its deliveries whose subscriptions are there, and notes the keys
// of which something is pending. Without any the statement does not store the event.
func (r *rows) add(
	seq int64, tenant string, e *store.TenantEvent, nums map[string]int64, keys *replica.Keys,
	now time.Time,
) {
	ev := &e.Event
	r.seqs, r.ids, r.types = append(r.seqs, seq), append(r.ids, ev.ID), append(r.types, ev.Type)
	r.tenants, r.keys = append(r.tenants, tenant), append(r.keys, ev.Key)
	r.times, r.enqueued = append(r.times, ev.Time), append(r.enqueued, e.EnqueuedAt)
	r.traces = append(r.traces, ev.Trace)
	r.few.Add(ev)
	var later *int64
	if ev.NotBefore.After(now) {
		due := memory.DueOf(order.Position{Due: order.Scheduled(ev.NotBefore.UnixMilli())})
		later = &due
	}
	var body []byte // NULL stands for an erased one
	if len(e.Body) > 0 {
		body = e.Body
	}
	r.bodies = append(r.bodies, body)
	for i := range e.Deliveries {
		d := &e.Deliveries[i]
		num, ok := nums[d.SubscriptionID]
		if !ok {
			continue
		}
		if d.State == store.Pending && ev.Key != "" {
			keys.Add(num, ev.Key)
		}
		r.of, r.subs = append(r.of, seq), append(r.subs, num)
		r.addDelivery(d, later)
	}
}

func (r *rows) addDelivery(d *store.TenantDelivery, later *int64) {
	var due *int64
	var since *time.Time
	if d.State == store.Pending {
		due, since = dueOf(d)
		if later != nil { // it is not to be sent yet
			due, since = later, nil
		}
	}
	var log, answers, override []byte
	var status int16
	var wrong, reason *string
	gone := d.Attempts - len(d.Log) // only the newest are kept
	for i := range d.Log {
		a := &d.Log[i]
		log = record.AppendAttempt(log, a)
		answers = record.AppendAnswer(answers, gone+i+1, record.AnswerOf(a))
		status, wrong = int16(a.Status), plain(a.Error)
	}
	switch {
	case d.State == store.Canceled:
		reason = plain(d.Reason)
	case d.State == store.Dead && len(d.Log) == 0: // nothing was attempted
		wrong = plain(d.Reason)
	}
	if d.BodyState.HasOverride() {
		override = append([]byte{}, d.BodyOverride...) // it may be empty, and is not NULL
	}
	r.states, r.dues = append(r.states, record.StateNumber(d.State)), append(r.dues, due)
	r.since = append(r.since, since)
	r.finished = append(r.finished, record.TimeOrNull(d.FinishedAt))
	r.attempts = append(r.attempts, record.Int32(d.Attempts))
	r.bases = append(r.bases, record.Int32(d.Attempts-d.Retry))
	r.statuses = append(r.statuses, status)
	r.errs, r.reasons = append(r.errs, wrong), append(r.reasons, reason)
	r.logs, r.answers = append(r.logs, log), append(r.answers, answers)
	r.bodyStates = append(r.bodyStates, int16(d.BodyState))
	r.overrides = append(r.overrides, override)
}

// plain returns a text as the column has it: NULL if there is none.
func plain(text string) *string {
	if text = record.Plain(text); text == "" {
		return nil
	}
	return &text
}

// dueOf returns when a pending delivery is due, as the column has it, and since when, if that is a
// number which says that it is due at once.
func dueOf(d *store.TenantDelivery) (due *int64, since *time.Time) {
	var n int64 // 0 before the first attempt
	switch {
	case d.Asked:
		n, since = order.Asked, record.TimeOrNull(roundUp(d.DueAt))
	case d.Parked:
		n, since = order.Parked(d.Attempts), record.TimeOrNull(roundUp(d.DueAt))
	case !d.DueAt.IsZero():
		n = record.InRange(roundUp(d.DueAt)).UnixMicro()
	}
	return &n, since
}

// roundUp returns a time in microseconds: nothing may be due before its time.
func roundUp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Microsecond - 1).Truncate(time.Microsecond)
}
