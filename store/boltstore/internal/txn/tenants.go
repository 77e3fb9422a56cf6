package txn

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/schedule"
)

// A tenant that is being moved to another store, or was, has a state in meta, by this prefix and
// its name. Whatever would change something of it checks that, in the same transaction. As a rule
// there is none: metaUnsettled says so without a look at each.
const metaTenant = "tenant/"

// phaseBits are the low bits of a stored state; the peer is above them.
const phaseBits = 8

// TenantState returns the state of a tenant.
func (t *base) TenantState(tenant string) (store.TenantState, error) {
	n, err := t.MetaNumber(metaUnsettled)
	if n == 0 || err != nil {
		return store.TenantState{}, err
	}
	n, err = t.MetaNumber(metaTenant + tenant)
	return decodeState(n), err
}

func decodeState(n uint64) store.TenantState {
	return store.TenantState{
		Phase: store.TenantPhase(n & (1<<phaseBits - 1)), Peer: int(n >> phaseBits),
	}
}

// IsClosed reports whether nothing of a tenant may be changed or claimed.
func (t *base) IsClosed(tenant string) (bool, error) {
	st, err := t.TenantState(tenant)
	return st.Phase != store.TenantSettled, err
}

// isClosedFor is IsClosed for the tenant of a subscription.
func (x *subscriptions) isClosedFor(num uint64) (bool, error) {
	sub, err := x.Get(num)
	if err != nil || sub == nil {
		return false, err
	}
	return x.IsClosed(sub.Tenant)
}

// CheckTenant returns [store.ErrMoved] if a tenant is closed.
func (t *base) CheckTenant(tenant string) error {
	closed, err := t.IsClosed(tenant)
	if err == nil && closed {
		err = store.ErrMoved
	}
	return err
}

// CheckTenantOf is CheckTenant for the tenant of an event.
func (t *Tx) CheckTenantOf(seq uint64) error {
	e, err := t.Events.Get(seq)
	if err != nil || e == nil {
		return nil // anybody who needs the event will say so
	}
	return t.CheckTenant(e.Tenant)
}

// TenantStates returns all tenants that have a state.
func (t *Tx) TenantStates() (map[string]store.TenantState, error) {
	states := make(map[string]store.TenantState)
	prefix := []byte(metaTenant)
	c := t.Bucket(BucketMeta).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		n, err := record.DecodeNumber(k, v)
		if err != nil {
			return nil, fmt.Errorf("state of a tenant: %w", err)
		}
		states[string(k[len(prefix):])] = decodeState(n)
	}
	return states, nil
}

// SetTenantState sets the state of a tenant.
func (t *Tx) SetTenantState(tenant string, st store.TenantState) error {
	was, err := t.TenantState(tenant)
	if err != nil || was == st {
		return err
	}
	unsettled, err := t.MetaNumber(metaUnsettled)
	if err != nil {
		return err
	}
	settled := st.Phase == store.TenantSettled
	switch {
	case was.Phase == store.TenantSettled:
		unsettled++
	case settled:
		unsettled--
	}
	if err := t.PutMetaNumber(metaUnsettled, unsettled); err != nil {
		return err
	}
	key := []byte(metaTenant + tenant)
	err = t.putOrRemove(BucketMeta, key, settled, func(key []byte) []byte {
		return record.EncodeNumber(key, uint64(st.Phase)|uint64(st.Peer)<<phaseBits)
	})
	t.effects.Add(effect.TenantChanged{Tenant: tenant, Closed: !settled})
	return err
}

// RemoveSubscriptions removes subscriptions of a tenant that has moved.
func (t *Tx) RemoveSubscriptions(nums []uint64) error {
	for _, num := range nums {
		sub, err := t.Subs.Get(num)
		if err != nil {
			return err
		}
		if sub == nil {
			continue
		}
		if err := t.Subs.drop(num, sub); err != nil {
			return err
		}
	}
	return nil
}

// ImportTenant stores a part of a tenant that comes from another store.
func (t *Tx) ImportTenant(tenant string, part *store.TenantPart) error {
	for i := range part.Subscriptions {
		if err := t.importSubscription(tenant, &part.Subscriptions[i]); err != nil {
			return err
		}
	}
	for i := range part.Events {
		if err := t.importEvent(tenant, &part.Events[i]); err != nil {
			return err
		}
	}
	return t.IDs.flush()
}

func (t *Tx) importSubscription(tenant string, moved *store.TenantSubscription) error {
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
	if num, err = t.Subs.add(&sub); err == nil {
		t.Subs.setHealth(num, moved.Health)
	}
	return err
}

// isImported reports whether an event is stored. One whose deliveries are all gone is not: it is
// what Prune has not got to since its tenant left.
func (t *Tx) isImported(tenant, id string) (bool, error) {
	seq, err := t.IDs.Find(tenant, id)
	if seq == 0 || err != nil {
		return false, err
	}
	key := record.Key1(seq)
	v := t.Get(BucketEvents, key[:])
	stored, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return false, err
	}
	needed, err := t.Events.needed(seq, v, stored.KeyHash())
	if needed || err != nil {
		return needed, err
	}
	return false, t.IDs.forget(&stored, seq)
}

// importEvent stores an event with its deliveries, all of which get a row: unlike those of an event
// that is enqueued, most have a history.
func (t *Tx) importEvent(tenant string, moved *store.TenantEvent) error {
	if known, err := t.isImported(tenant, moved.Event.ID); known || err != nil {
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
		EnqueuedAt: schedule.Nanos(moved.EnqueuedAt), Body: bytes.Clone(moved.Body), Trace: ev.Trace,
	}
	seq, err := t.nextSeq()
	if err != nil {
		return err
	}
	if err := t.Events.importTime(e.EnqueuedAt); err != nil {
		return err
	}
	recipients := &effect.Recipients{Packed: record.Pack(nil, nums), Count: len(nums)}
	key := record.Key1(seq)
	if err := t.put(BucketEvents, key[:], e.Encode(key[:], recipients.Packed)); err != nil {
		return err
	}
	if err := t.IDs.note(e, seq); err != nil {
		return err
	}
	for _, num := range nums {
		id := pending.ID{Num: num, Seq: seq}
		if err := t.importDelivery(id, e.KeyHash(), byNum[num]); err != nil {
			return err
		}
	}
	t.effects.AddEnqueued(effect.EventEnqueued{
		Seq: seq, Event: e, Recipients: recipients, Materialized: nums,
	})
	return nil
}

func (t *Tx) importDelivery(id pending.ID, keyHash uint64, d *store.TenantDelivery) (err error) {
	r := record.Row{
		State: d.State, AsOf: id.Seq, KeyHash: keyHash, Body: d.BodyState,
		Base: d.Attempts - d.Retry, Attempts: d.Attempts,
		FinishedAt: schedule.Nanos(d.FinishedAt), Reason: d.Reason,
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
			r.AtOnce = schedule.Asked
		case d.Parked:
			r.AtOnce = schedule.Parked(r.Attempts)
		}
		if keyHash != 0 {
			if r.Blocked, err = t.Pending.AddKeyed(id, keyHash); err != nil {
				return err
			}
		}
	}
	return t.Pending.Create(id, r)
}
