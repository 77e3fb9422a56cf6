package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Delivery returns the record that callers see. It shares no memory with the file. r must have its
// marks applied, as Set.Find returns it. The error is ErrCorrupt if the subscription or the log of
// attempts can't be read.
func (t *Tx) Delivery(num uint64, e *record.Event, r *pending.Delivery) (store.Delivery, error) {
	// The ID alone: a listing of many subscriptions would decode each of them otherwise.
	id, err := t.Subs.ID(num)
	if err != nil {
		return store.Delivery{}, err
	}
	d := store.Delivery{
		SubscriptionID: id,
		EventID:        e.ID,
		EventType:      e.Type,
		Tenant:         e.Tenant,
		Key:            e.Key,
		State:          r.State,
		Erased:         e.Erased(),
		NotBefore:      record.AsMillis(e.NotBefore),
		ExpiresAt:      record.AsMillis(e.ExpiresAt),
		Attempts:       r.Attempts,
		CreatedAt:      record.AsTime(e.EnqueuedAt),
		FinishedAt:     record.AsTime(r.FinishedAt),
	}
	if r.Pending() {
		d.DueAt = record.AsTime(r.Due)
		// A first attempt has no time of its own: it was due when its event was enqueued.
		if r.Due == 0 {
			d.DueAt = d.CreatedAt
		}
	}
	last, ok, err := r.LastAttempt()
	if ok {
		d.LastStatus, d.LastError = last.Status, string(last.Error)
	}
	// What ended it says more than its last attempt, and a cancellation without a reason must not
	// show the error of an attempt.
	if r.Reason != "" || r.State == store.Canceled {
		d.LastError = r.Reason
	}
	// Whatever earlier attempts have met. The status stays, which is that of the success.
	if r.State == store.Delivered {
		d.LastError = ""
	}
	return d, err
}

// LookUp finds a delivery by its names. num and seq are the numbers of its subscription and event,
// which is the one of the subscription's tenant. ok is false if it does not exist, and so if either
// name is unknown.
func (t *Tx) LookUp(
	subscriptionID, eventID string,
) (num, seq uint64, r pending.Delivery, ok bool, err error) {
	if num, err = t.Subs.Number(subscriptionID); err != nil || num == 0 {
		return 0, 0, pending.Delivery{}, false, err
	}
	tenant, err := t.Subs.Tenant(num)
	if err != nil {
		return 0, 0, pending.Delivery{}, false, err
	}
	if seq, err = t.IDs.Find(tenant, eventID); err != nil || seq == 0 {
		return 0, 0, pending.Delivery{}, false, err
	}
	key := record.Key1(seq)
	v := t.Get(buckets.Events, key[:])
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return 0, 0, pending.Delivery{}, false, err
	}
	// Find takes the caller's word for it that the subscription is a recipient: above the watermark
	// it would find a pending delivery of any.
	if ok, err = record.PackedHas(packed, num); err != nil || !ok {
		return 0, 0, pending.Delivery{}, false, err
	}
	e, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return 0, 0, pending.Delivery{}, false, err
	}
	r, ok, err = t.Pending.Find(num, seq, e.KeyHash())
	return num, seq, r, ok, err
}
