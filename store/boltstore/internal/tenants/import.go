package tenants

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// importPart stores a part of a tenant that comes from another store.
func importPart(t *txn.Tx, tenant string, part *store.TenantPart) error {
	for i := range part.Subscriptions {
		if err := importSubscription(t, tenant, &part.Subscriptions[i]); err != nil {
			return err
		}
	}
	for i := range part.Events {
		if err := importEvent(t, tenant, &part.Events[i]); err != nil {
			return err
		}
	}
	return t.IDs.Flush()
}

func importSubscription(t *txn.Tx, tenant string, moved *store.TenantSubscription) error {
	num, err := t.Subs.Number(moved.ID)
	if err != nil {
		return err
	}
	if num != 0 {
		sub, err := t.Subs.Get(num)
		if err == nil && (sub == nil || sub.Tenant != tenant) {
			err = fmt.Errorf("subscription %s: %w", moved.ID, store.ErrConflict)
		}
		return err
	}
	sub := moved.Subscription.Clone() // the operation may run after the caller has left
	if num, err = t.Subs.Add(&sub); err == nil {
		t.Subs.SetHealth(num, moved.Health)
	}
	return err
}

// isImported reports whether an event is stored. One whose deliveries are all gone is not: it is
// what Prune has not got to since its tenant left.
func isImported(t *txn.Tx, tenant, id string) (bool, error) {
	seq, err := t.IDs.Find(tenant, id)
	if seq == 0 || err != nil {
		return false, err
	}
	key := record.Key1(seq)
	v := t.Get(buckets.Events, key[:])
	stored, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return false, err
	}
	needed, err := t.Events.Needed(seq, v, stored.KeyHash())
	if needed || err != nil {
		return needed, err
	}
	return false, t.IDs.Forget(&stored, seq)
}

// importEvent stores an event with its deliveries, all of which get a row: unlike those of an event
// that is enqueued, most have a history.
func importEvent(t *txn.Tx, tenant string, moved *store.TenantEvent) error {
	if known, err := isImported(t, tenant, moved.Event.ID); known || err != nil {
		return err
	}
	byNum := make(map[uint64]*store.TenantDelivery, len(moved.Deliveries))
	nums := make([]uint64, 0, len(moved.Deliveries))
	for i := range moved.Deliveries {
		d := &moved.Deliveries[i]
		num, err := t.Subs.Number(d.SubscriptionID)
		if err != nil {
			return err
		}
		if num != 0 {
			byNum[num], nums = d, append(nums, num)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	slices.Sort(nums)
	ev := &moved.Event
	e := &record.Event{
		ID: ev.ID, Type: ev.Type, Tenant: ev.Tenant, Key: ev.Key, Time: ev.Time.UnixMilli(),
		Trace: ev.Trace, EnqueuedAt: schedule.Nanos(moved.EnqueuedAt), Body: bytes.Clone(moved.Body),
		Tags: events.SortedTags(ev.Tags), NotBefore: record.Millis(ev.NotBefore),
		ExpiresAt: record.Millis(ev.ExpiresAt),
	}
	recipients := &effect.Recipients{Packed: record.Pack(nil, nums), Count: len(nums)}
	seq, err := t.Events.Import(e, recipients.Packed)
	if err != nil {
		return err
	}
	for _, num := range nums {
		id := pending.ID{Num: num, Seq: seq}
		if err := importDelivery(t, id, e, byNum[num]); err != nil {
			return err
		}
	}
	t.Log.AddEnqueued(effect.EventEnqueued{
		Seq: seq, Event: e, Recipients: recipients, Materialized: nums,
	})
	return nil
}

func importDelivery(
	t *txn.Tx, id pending.ID, e *record.Event, d *store.TenantDelivery,
) (err error) {
	keyHash := e.KeyHash()
	r := record.Row{
		State: d.State, AsOf: id.Seq, KeyHash: keyHash, Body: d.BodyState,
		Base: d.Attempts - d.Retry, Attempts: d.Attempts,
		FinishedAt: schedule.Nanos(d.FinishedAt), Reason: d.Reason, Expires: e.ExpiresAt,
	}
	for i := range d.Log {
		r.Log = record.AppendAttempt(r.Log, &d.Log[i])
	}
	if r.Overridden() {
		if err := t.Pending.Overrides.Put(id.Num, id.Seq, bytes.Clone(d.BodyOverride)); err != nil {
			return err
		}
	}
	if r.Pending() {
		r.Due = schedule.Nanos(d.DueAt)
		switch {
		case d.Asked:
			r.AtOnce = order.Asked
		case d.Parked:
			r.AtOnce = order.Parked(r.Attempts)
		}
		if e.Waits(t.Now) {
			r.SetDue(r.Due, 0, e.NotBefore, t.Now)
		}
		if keyHash != 0 {
			if r.Blocked, err = t.Pending.AddKeyed(id, keyHash); err != nil {
				return err
			}
		}
	}
	return t.Pending.Create(id, r)
}

// removeSubscriptions removes subscriptions of a tenant that has moved.
func removeSubscriptions(t *txn.Tx, nums []uint64) error {
	for _, num := range nums {
		sub, err := t.Subs.Get(num)
		if err != nil {
			return err
		}
		if sub == nil {
			continue
		}
		if err := t.Subs.Drop(num, sub); err != nil {
			return err
		}
	}
	return nil
}
