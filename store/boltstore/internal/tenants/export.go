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
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// maxExported is how many deliveries a part of a tenant has, but for one event that has more.
const maxExported = 5000

// search collects the events of a tenant, with their deliveries, to be moved.
type search struct {
	tenant string
	from   uint64 // where it goes on
	limit  int    // events
	found  []store.TenantEvent
	full   bool // it has ended before the last event

	deliveries int
}

// read reads on for a while, and reports whether it must go on.
func (f *search) read(t *txn.Tx) (more bool, err error) {
	c := t.Bucket(buckets.Events).Cursor()
	start := record.Key1(f.from)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		if f.from = record.KeyNumber(k, 0); seen > 0 && t.IsSlow() {
			return true, nil
		}
		e, err := record.DecodeEvent(k, v)
		if err == nil && e.Tenant == f.tenant {
			if len(f.found) == f.limit || f.deliveries >= maxExported {
				f.full = true
				return false, nil
			}
			if err := f.add(t, f.from, &e, v); err != nil {
				return false, err
			}
		}
		k, v = c.Next()
	}
	return false, nil
}

// add adds an event, if there is a delivery of it.
func (f *search) add(t *txn.Tx, seq uint64, e *record.Event, v []byte) error {
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
			Time: time.UnixMilli(e.Time).UTC()},
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
		f.found = append(f.found, out)
		f.deliveries += len(out.Deliveries)
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
		out.Asked = d.AtOnce == schedule.Asked
		out.Parked = d.AtOnce != 0 && !out.Asked
	}
	if d.Overridden() {
		if out.BodyOverride, err = t.Pending.Overrides.Get(at.Num, at.Seq); err != nil {
			return out, err
		}
	}
	return out, d.EachAttempt(func(a record.Attempt) { out.Log = append(out.Log, a.Clone()) })
}
