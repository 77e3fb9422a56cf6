package txn

import (
	"bytes"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Outcome is one outcome that is to be recorded.
type Outcome struct {
	store.Outcome
	attempt []byte // the attempt as it is stored; Attempt itself has no Response and no Detail

	Claimed bool // the token is the present one, and what follows is what was claimed with it
	Id      pending.ID
	KeyHash uint64 // of the event's ordering key
	AsOf    uint64 // since when the delivery was pending
}

// NewOutcome returns an outcome that shares no memory with the caller's. The operation may run
// after the caller has left, so it must not read what the caller may change. The attempt is encoded
// here, outside of the transaction that others wait for.
func NewOutcome(o store.Outcome) Outcome {
	own := Outcome{Outcome: o}
	own.Attempt.Response, own.Attempt.Detail = nil, nil
	own.BodyOverride = nil
	if o.State != store.Canceled {
		own.attempt = record.AppendAttempt(nil, &o.Attempt)
		own.BodyOverride = bytes.Clone(o.BodyOverride)
	}
	return own
}

// dropContent drops the response and the detail of the attempt, and what it has sent. Attempt has
// none since NewOutcome, so it only has to be encoded again.
func (o *Outcome) dropContent() {
	o.attempt = record.AppendAttempt(nil, &o.Attempt)
	o.BodyState, o.BodyOverride = store.BodyUndecided, nil
}

// FinishDelivery records one outcome, if it counts. It counts if its token is the present one, or,
// for a success, if the delivery is pending or was canceled. An ignored outcome writes nothing and
// is no error.
func (t *Tx) FinishDelivery(o *Outcome) (store.Result, error) {
	ignored := store.Result{Ignored: true}
	num, seq, was, ok, err := t.subject(o)
	if err != nil || !ok {
		return ignored, err
	}
	// The token is good only for what was claimed with it: the delivery may have been requeued
	// since.
	present := o.Claimed && was.Pending() && was.AsOf == o.AsOf
	// A success without the token counts too: the endpoint has the event, so sending it again would
	// only repeat it.
	late := o.State == store.Delivered && (was.Pending() || was.State == store.Canceled)
	if !present && !late {
		return ignored, nil
	}
	if !present {
		// The event may have been erased while its attempt was under way.
		erased, err := t.Events.IsErased(seq)
		if err != nil {
			return ignored, err
		}
		if erased {
			o.dropContent()
		}
	}
	// Another outcome of the same transaction may have changed it: each goes on from the one
	// before.
	before := t.Subs.Health(num)
	next := before.Next(&o.Outcome, record.AsTime(t.Now))
	r, err := t.ended(num, seq, was, o, &next)
	if err != nil {
		return ignored, err
	}
	if err := t.Pending.Transition(pending.ID{Num: num, Seq: seq}, was, r, true); err != nil {
		return ignored, err
	}
	// Without an attempt nothing was learned of the endpoint.
	if o.State == store.Canceled {
		return store.Result{Before: before, After: before}, nil
	}
	t.Counts.Note(num, &o.Outcome)
	return store.Result{Before: before, After: t.Subs.SetHealth(num, next)}, nil
}

// ended returns what a delivery is after an outcome that counts and leaves the given health.
func (t *Tx) ended(
	num, seq uint64, was pending.Delivery, o *Outcome, health *store.Health,
) (pending.Delivery, error) {
	r := was
	r.State, r.FinishedAt, r.Due, r.AtOnce, r.Reason = o.State, t.Now, 0, 0, ""
	r.Waits = false
	switch {
	// It waits for the breaker alone, so it is due as soon as that closes; see order.Parked.
	case o.Parks(health):
		r.FinishedAt = 0
		r.SetDue(t.Now, order.Parked(r.Attempts+1), 0, t.Now)
	case o.State == store.Pending:
		r.FinishedAt = 0
		r.SetDue(schedule.Add(t.Now, o.RetryIn), 0, 0, t.Now)
	default:
		r.Blocked = false
	}
	if o.State == store.Canceled {
		r.Reason = o.Attempt.Error
		return r, nil
	}
	r.AddAttempt(o.attempt)
	// Retries are counted as attempts above Base, so raising both keeps the number of retries.
	if o.KeepRetry && o.State == store.Pending {
		r.Base++
	}
	if o.BodyState == store.BodyUndecided {
		return r, nil
	}
	if r.Body = o.BodyState; !r.Overridden() {
		return r, nil // Transition removes an override that was there
	}
	return r, t.Pending.Overrides.Put(num, seq, o.BodyOverride)
}

// subject finds the delivery that an outcome is about.
func (t *Tx) subject(o *Outcome) (num, seq uint64, r pending.Delivery, ok bool, err error) {
	if o.Claimed {
		// A claim has the numbers, so neither index of IDs is read. The subscription may be gone
		// since.
		if num, seq = o.Id.Num, o.Id.Seq; !t.Subs.Exists(num) {
			return num, seq, pending.Delivery{}, false, nil
		}
		r, ok, err = t.Pending.Find(num, seq, o.KeyHash)
		return num, seq, r, ok, err
	}
	// A failure without the present token is ignored in any case, so it is not looked for.
	if o.State != store.Delivered {
		return 0, 0, pending.Delivery{}, false, nil
	}
	return t.LookUp(o.SubscriptionID, o.EventID)
}
