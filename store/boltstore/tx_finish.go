package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/schedule"
)

// outcome is one outcome that is to be recorded.
type outcome struct {
	store.Outcome
	attempt []byte // the attempt as it is stored; Attempt itself has no Response

	claimed bool // the token is the present one, and what follows is what was claimed with it
	id      pending.ID
	keyHash uint64 // of the event's ordering key
	asOf    uint64 // since when the delivery was pending
}

// newOutcome returns an outcome that shares no memory with the caller's.
func newOutcome(o store.Outcome) outcome {
	own := outcome{Outcome: o}
	if o.State != store.Canceled {
		own.attempt = record.AppendAttempt(nil, &o.Attempt)
	}
	own.Attempt.Response = nil
	own.Body = nil
	if o.Body != nil && (o.State == store.Pending || o.State == store.Dead) {
		own.Body = append([]byte{}, o.Body...)
	}
	return own
}

// conclude records one outcome, if it counts.
func (t *txn) conclude(o *outcome) (store.Result, error) {
	ignored := store.Result{Ignored: true}
	num, seq, was, ok, err := t.subject(o)
	if err != nil || !ok {
		return ignored, err
	}
	// The token is good only for what was claimed with it: the delivery may have been requeued since.
	present := o.claimed && was.Pending() && was.AsOf == o.asOf
	late := o.State == store.Delivered && (was.Pending() || was.State == store.Canceled)
	if !present && !late {
		return ignored, nil
	}
	if !present {
		if err := t.heedErasure(seq, o); err != nil {
			return ignored, err
		}
	}
	r, err := t.concluded(num, seq, was, o)
	if err != nil {
		return ignored, err
	}
	if err := t.pending.Transition(pending.ID{Num: num, Seq: seq}, was, r, true); err != nil {
		return ignored, err
	}
	before := t.subs.health(num)
	if o.State == store.Canceled {
		return store.Result{Before: before.Health, After: before.Health}, nil
	}
	t.counts.note(num, o)
	next := before.Next(&o.Outcome, t.now)
	t.subs.setHealth(num, next)
	return store.Result{Before: before.Health, After: next.Health}, nil
}

// concluded returns what a delivery is after an outcome that counts.
func (t *txn) concluded(num, seq uint64, was pending.Delivery, o *outcome) (pending.Delivery, error) {
	r := was
	r.State, r.FinishedAt, r.Due, r.Reason = o.State, t.now, 0, ""
	if o.State == store.Pending {
		r.FinishedAt, r.Due = 0, schedule.Add(t.now, o.RetryIn)
	} else {
		r.Blocked = false
	}
	if o.State == store.Canceled {
		r.Reason = o.Attempt.Error
		return r, nil
	}
	r.Attempts++
	r.Log = append(r.Log[:len(r.Log):len(r.Log)], o.attempt...)
	if o.Body == nil {
		return r, nil
	}
	r.BodyOverride = true
	return r, t.pending.PutBody(num, seq, o.Body)
}

// subject finds the delivery that an outcome is about.
func (t *txn) subject(o *outcome) (num, seq uint64, r pending.Delivery, ok bool, err error) {
	if o.claimed {
		if num, seq = o.id.Num, o.id.Seq; !t.subs.exists(num) {
			return num, seq, pending.Delivery{}, false, nil
		}
		r, ok, err = t.pending.Find(num, seq, o.keyHash)
		return num, seq, r, ok, err
	}
	if o.State != store.Delivered {
		return 0, 0, pending.Delivery{}, false, nil
	}
	return t.lookUp(o.SubscriptionID, o.EventID)
}

// lookUp finds a delivery by its names.
func (t *txn) lookUp(subscriptionID, eventID string) (num, seq uint64, r pending.Delivery, ok bool, err error) {
	if num, err = t.subs.number(subscriptionID); err != nil || num == 0 {
		return 0, 0, pending.Delivery{}, false, err
	}
	if seq, err = t.ids.find(eventID); err != nil || seq == 0 {
		return 0, 0, pending.Delivery{}, false, err
	}
	key := record.Key1(seq)
	v := t.get(BucketEvents, key[:])
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return 0, 0, pending.Delivery{}, false, err
	}
	if ok, err = record.PackedHas(packed, num); err != nil || !ok {
		return 0, 0, pending.Delivery{}, false, err
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return 0, 0, pending.Delivery{}, false, err
	}
	r, ok, err = t.pending.Find(num, seq, e.KeyHash())
	return num, seq, r, ok, err
}
