package tenants

import (
	"bytes"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/page"
)

// maxExported is how many deliveries a part of a tenant has, but for one event that has more.
const maxExported = 5000

// exporting collects events of a tenant, with their deliveries, to be moved.
type exporting struct {
	seqs  []uint64 // that are yet to be read
	found []store.TenantEvent
}

// read reads on for a while, and reports whether it must go on. It passes over an event that can't
// be read, or is gone by now.
func (x *exporting) read(t *txn.Tx) (more bool, err error) {
	for first := true; len(x.seqs) > 0; first = false {
		if !first && t.IsSlow() {
			return true, nil
		}
		seq := x.seqs[0]
		x.seqs = x.seqs[1:]
		key := record.Key1(seq)
		v := t.Get(buckets.Events, key[:])
		if v == nil {
			continue
		}
		if e, err := record.DecodeEvent(key[:], v); err == nil {
			if err := x.add(t, seq, &e, v); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// add adds an event, if there is a delivery of it.
func (x *exporting) add(t *txn.Tx, seq uint64, e *record.Event, v []byte) error {
	key := record.Key1(seq)
	packed, err := record.DecodeRecipients(key[:], v)
	if err != nil {
		return nil // nobody can know whose it is
	}
	nums, err := record.UnpackAll(packed)
	if err != nil {
		return nil
	}
	out := store.TenantEvent{
		Event: events.Event{ID: e.ID, Type: e.Type, Tenant: e.Tenant, Key: e.Key, Trace: e.Trace,
			Time: time.UnixMilli(e.Time).UTC(), Tags: e.Tags,
			NotBefore: record.AsMillis(e.NotBefore), ExpiresAt: record.AsMillis(e.ExpiresAt)},
		Body: bytes.Clone(e.Body), EnqueuedAt: record.AsTime(e.EnqueuedAt),
	}
	for _, num := range nums {
		sub, err := t.Subs.Get(num)
		if err != nil || sub == nil {
			continue
		}
		d, ok, err := t.Pending.Find(num, seq, e.KeyHash())
		if err != nil { // its record is damaged, and it would die when it is claimed
			d, ok = pending.Delivery{}, true
			d.State, d.FinishedAt, d.Reason = store.Dead, t.Now, txn.Damage
		}
		if !ok {
			continue
		}
		moved, err := exported(t, page.Position{Seq: seq, Num: num}, &d)
		if err != nil {
			return err
		}
		moved.SubscriptionID = sub.ID
		out.Deliveries = append(out.Deliveries, moved)
	}
	if len(out.Deliveries) > 0 {
		x.found = append(x.found, out)
	}
	return nil
}

// exported returns a delivery as another store needs it.
func exported(
	t *txn.Tx, at page.Position, d *pending.Delivery,
) (out store.TenantDelivery, err error) {
	out = store.TenantDelivery{
		State: d.State, Attempts: d.Attempts, Retry: d.Attempts - d.Base,
		FinishedAt: record.AsTime(d.FinishedAt), Reason: d.Reason, BodyState: d.Body,
	}
	if d.Pending() && (d.AtOnce != 0 || d.Attempts > 0) {
		out.DueAt = record.AsTime(d.Due)
		out.Asked = d.AtOnce == order.Asked
		out.Parked = d.AtOnce != 0 && !out.Asked
	}
	if d.Overridden() {
		if out.BodyOverride, err = t.Pending.Overrides.Get(at.Num, at.Seq); err != nil {
			return out, err
		}
	}
	return out, d.EachAttempt(func(a record.Attempt) { out.Log = append(out.Log, a.Clone()) })
}
