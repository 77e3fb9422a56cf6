package txntest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// What tests of several packages do with a file, each in a transaction of its own. An error ends
// the test.

// Subscribe stores a subscription to all types of a tenant, and returns its number.
func (f *File) Subscribe(id, tenant string) (num uint64) {
	f.t.Helper()
	f.Update(func(t *txn.Tx) error {
		_, err := t.Subs.Create(store.Subscription{ID: id, Tenant: tenant,
			Status: store.Subscribed})
		if err == nil {
			num, err = t.Subs.Number(id)
		}
		return err
	})
	return num
}

// Event returns the record of an event that is to be enqueued. Its type is order.paid.
func (f *File) Event(id, tenant, key string) *record.Event {
	f.t.Helper()
	e, err := record.NewEvent(events.Event{
		ID: id, Type: "order.paid", Tenant: tenant, Key: key, Time: f.Wall,
		Payload: json.RawMessage(`{"n":1}`),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// Enqueue stores an event, and returns its sequence number.
func (f *File) Enqueue(id, tenant, key string) (seq uint64) {
	f.t.Helper()
	e := f.Event(id, tenant, key)
	f.Update(func(t *txn.Tx) (err error) {
		if err = t.Enqueue([]*record.Event{e}, nil); err == nil {
			seq, err = t.IDs.Find(tenant, id)
		}
		return err
	})
	return seq
}

// Retry has a delivery tried again later, so that it has a row with an answer.
func (f *File) Retry(sub, event string) {
	f.t.Helper()
	o := txn.NewOutcome(store.Outcome{
		Lease: store.Lease{SubscriptionID: sub, EventID: event}, State: store.Pending,
		Attempt: store.Attempt{Status: 500, Error: "failed", Response: []byte("secret answer")},
		RetryIn: time.Hour,
	})
	f.Update(func(tx *txn.Tx) error {
		num, seq, d, ok, err := tx.LookUp(sub, event)
		if !ok || err != nil {
			return fmt.Errorf("%s of %s: found %v, %w", event, sub, ok, err)
		}
		o.Claimed, o.Id = true, pending.ID{Num: num, Seq: seq}
		o.KeyHash, o.AsOf = d.KeyHash, d.AsOf
		_, err = tx.FinishDelivery(&o)
		return err
	})
}

// Kinds returns the types of effects.
func Kinds(list []effect.Effect) (names []string) {
	for _, e := range list {
		names = append(names, fmt.Sprintf("%T", e))
	}
	return names
}
