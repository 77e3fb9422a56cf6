package scan

import (
	"bytes"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// maxExported is how many deliveries a part of a tenant has, but for one event that has more.
const maxExported = 5000

// TenantNumbers returns the numbers of a tenant's subscriptions, at most limit.
func TenantNumbers(t *txn.Tx, tenant string, limit int) (nums []uint64) {
	prefix := record.TenantPrefix(tenant)
	for k := range keysFrom(t.Bucket(txn.BucketTenants).Cursor(), prefix, 0, false) {
		if len(nums) == limit {
			break
		}
		nums = append(nums, record.KeyNumber(k[len(prefix):], 0))
	}
	return nums
}

// TenantSearch collects the events of a tenant, with their deliveries, to be moved.
type TenantSearch struct {
	Tenant string
	From   uint64 // where it goes on
	Limit  int    // events
	Found  []store.TenantEvent
	Full   bool // it has ended before the last event

	deliveries int
}

// Read reads on for a while, and reports whether it must go on.
func (f *TenantSearch) Read(t *txn.Tx) (more bool, err error) {
	c := t.Bucket(txn.BucketEvents).Cursor()
	start := record.Key1(f.From)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		if f.From = record.KeyNumber(k, 0); seen > 0 && t.IsSlow() {
			return true, nil
		}
		e, err := record.ViewEvent(k, v)
		if err == nil && string(e.Tenant) == f.Tenant {
			if len(f.Found) == f.Limit || f.deliveries >= maxExported {
				f.Full = true
				return false, nil
			}
			if err := f.add(t, f.From, &e, v); err != nil {
				return false, err
			}
		}
		k, v = c.Next()
	}
	return false, nil
}

// add adds an event, if there is a delivery of it.
func (f *TenantSearch) add(t *txn.Tx, seq uint64, view *record.EventView, v []byte) error {
	e, key := view.Copy(), record.Key1(seq)
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
		f.Found = append(f.Found, out)
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
