package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Delivery returns the record that callers see.
func (t *Tx) Delivery(num uint64, e *record.Event, r *pending.Delivery) (store.Delivery, error) {
	id, err := t.Subs.id(num)
	if err != nil {
		return store.Delivery{}, err
	}
	d := store.Delivery{
		SubscriptionID: id,
		EventID:        e.ID,
		EventType:      e.Type,
		Tenant:         e.Tenant,
		State:          r.State,
		Erased:         e.Erased(),
		Attempts:       r.Attempts,
		CreatedAt:      record.AsTime(e.EnqueuedAt),
		FinishedAt:     record.AsTime(r.FinishedAt),
	}
	if r.Pending() {
		d.DueAt = record.AsTime(r.Due)
		if r.Due == 0 {
			d.DueAt = d.CreatedAt
		}
	}
	last, ok, err := r.LastAttempt()
	if ok {
		d.LastStatus, d.LastError = last.Status, string(last.Error)
	}
	if r.Reason != "" || r.State == store.Canceled {
		d.LastError = r.Reason
	}
	if r.State == store.Delivered {
		d.LastError = ""
	}
	return d, err
}

// id returns the ID of a subscription that is there.
func (x *subscriptions) id(num uint64) (string, error) {
	if id, ok := x.idOf[num]; ok {
		return id, nil
	}
	key := record.Key1(num)
	id, err := record.DecodeSubscriptionID(key[:], x.base.Get(BucketSubscriptions, key[:]))
	if err != nil {
		return "", err
	}
	if x.idOf == nil {
		x.idOf = make(map[uint64]string)
	}
	x.idOf[num] = id
	return id, nil
}
