package buckets

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Create stores a new subscription, gives it its times, and returns it. It returns
// [store.ErrConflict] if the ID is taken.
func (x *subscriptions) Create(sub store.Subscription) (store.Subscription, error) {
	if err := x.CheckTenant(sub.Tenant); err != nil {
		return sub, err
	}
	if num, err := x.Number(sub.ID); err != nil || num != 0 {
		if err == nil {
			err = fmt.Errorf("%s: %w", sub.ID, store.ErrConflict)
		}
		return sub, err
	}
	at := record.AsTime(x.Settings.Wall().UnixNano())
	sub.CreatedAt, sub.UpdatedAt, sub.SubscribedAt = at, at, time.Time{}
	if sub.Collects() {
		sub.SubscribedAt = at
	}
	_, err := x.Add(&sub)
	return sub, err
}

// Add stores a new subscription as it is and returns its number.
func (x *subscriptions) Add(sub *store.Subscription) (num uint64, err error) {
	// Keys have this number in place of the ID. It is never used again, so what a deleted
	// subscription leaves can't become another's that gets its ID.
	if num, err = x.nextSequence(Subscriptions); err != nil {
		return 0, err
	}
	if err := x.putNumber(SubscriptionIDs, []byte(sub.ID), num); err != nil {
		return 0, err
	}
	if err := x.base.put(Tenants, record.TenantKey(sub.Tenant, num), nil); err != nil {
		return 0, err
	}
	if err := x.count(sub.Tenant, 1); err != nil {
		return 0, err
	}
	return num, x.put(num, nil, sub)
}

// ErrChanged says that a subscription was changed by somebody else meanwhile.
var ErrChanged = errors.New("the subscription has changed")

// Update replaces a subscription, was, by is, and returns it with its new times. encoded is the
// record that was has been decoded from. It returns [ErrChanged], and has written nothing, if the
// file has another one by now.
//
// Unsubscribing cancels all that is pending.
func (x *subscriptions) Update(
	num uint64, was *store.Subscription, is store.Subscription, encoded []byte,
) (store.Subscription, error) {
	key := record.Key1(num)
	// The caller's change was made outside of the transaction, to this version.
	if !bytes.Equal(x.base.Get(Subscriptions, key[:]), encoded) {
		return is, ErrChanged
	}
	if err := x.CheckTenant(was.Tenant); err != nil {
		return is, err
	}
	at := record.AsTime(x.Settings.Wall().UnixNano())
	is.CreatedAt, is.SubscribedAt = was.CreatedAt, was.SubscribedAt
	is.UpdatedAt = store.NextUpdate(was.UpdatedAt, at)
	if is.Collects() && !was.Collects() {
		is.SubscribedAt = at
	}
	if err := x.put(num, was, &is); err != nil {
		return is, err
	}
	// Claims share what memory gets, and the caller may change what it gets.
	shared := is.Clone()
	x.Log.Add(effect.SubscriptionChanged{Num: num, Sub: &shared})
	if was.Collects() && !is.Collects() {
		reason := is.DisabledReason
		if reason == "" {
			reason = "unsubscribed"
		}
		if err := x.cancelPending(num, reason); err != nil {
			return is, err
		}
	}
	x.SetHealth(num, x.Health(num).Updated(was, &is))
	return is, nil
}

// cancelPending marks all that is pending for a subscription as canceled. That takes no longer when
// it is much.
func (x *subscriptions) cancelPending(num uint64, reason string) error {
	seq, err := x.NextSeq()
	if err != nil {
		return err
	}
	marks, err := x.pending.Backlogs.CancelAll(num,
		record.Mark{Seq: seq, At: x.Now, Reason: reason})
	if err != nil {
		return err
	}
	x.Log.Add(effect.PendingCanceled{Num: num, Marks: marks})
	return nil
}

// Delete removes a subscription. Its deliveries have no owner then, and are purged by
// Prune.
func (x *subscriptions) Delete(id string) error {
	num, err := x.Number(id)
	if err != nil {
		return err
	}
	if num == 0 {
		return store.ErrNotFound
	}
	sub, err := x.Get(num)
	if err != nil {
		return err
	}
	if err := x.CheckTenant(sub.Tenant); err != nil {
		return err
	}
	return x.Drop(num, sub)
}

// Drop is Delete of one that is there.
func (x *subscriptions) Drop(num uint64, sub *store.Subscription) error {
	if err := x.recipients.replace(num, sub, nil); err != nil {
		return err
	}
	if err := x.count(sub.Tenant, -1); err != nil {
		return err
	}
	key := record.Key1(num)
	for _, e := range []struct {
		from Bucket
		key  []byte
	}{
		{SubscriptionIDs, []byte(sub.ID)}, {Subscriptions, key[:]},
		{Tenants, record.TenantKey(sub.Tenant, num)}, {Health, key[:]},
	} {
		if err := x.Remove(e.from, e.key); err != nil {
			return err
		}
	}
	// From now on Exists is false, so readers pass over the deliveries, whose records are still
	// there.
	x.set(num, nil)
	// Set and not Edit: the former backlog need not be readable.
	x.pending.Backlogs.Set(num, &record.Backlog{Deleted: true})
	x.Log.Add(effect.SubscriptionDeleted{Num: num})
	return nil
}
