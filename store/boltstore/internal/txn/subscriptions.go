package txn

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

func (t *Tx) CreateSubscription(sub store.Subscription) (store.Subscription, error) {
	if err := t.CheckTenant(sub.Tenant); err != nil {
		return sub, err
	}
	if num, err := t.Subs.Number(sub.ID); err != nil || num != 0 {
		if err == nil {
			err = fmt.Errorf("%s: %w", sub.ID, store.ErrConflict)
		}
		return sub, err
	}
	at := record.AsTime(t.settings.Wall().UnixNano())
	sub.CreatedAt, sub.UpdatedAt, sub.SubscribedAt = at, at, time.Time{}
	if sub.Status == store.Subscribed {
		sub.SubscribedAt = at
	}
	_, err := t.addSubscription(&sub)
	return sub, err
}

// addSubscription stores a new subscription as it is and returns its number.
func (t *Tx) addSubscription(sub *store.Subscription) (num uint64, err error) {
	if num, err = t.nextSequence(BucketSubscriptions); err != nil {
		return 0, err
	}
	if err := t.putNumber(BucketSubscriptionIDs, []byte(sub.ID), num); err != nil {
		return 0, err
	}
	if err := t.put(BucketTenants, record.TenantKey(sub.Tenant, num), nil); err != nil {
		return 0, err
	}
	if err := t.Subs.count(sub.Tenant, 1); err != nil {
		return 0, err
	}
	return num, t.Subs.put(num, nil, sub)
}

// put stores what a subscription has become.
func (x *subscriptions) put(num uint64, was, is *store.Subscription) error {
	key := record.Key1(num)
	err := x.base.put(BucketSubscriptions, key[:], record.EncodeSubscription(key[:], is))
	if err != nil {
		return err
	}
	x.set(num, is)
	return x.recipients.replace(num, was, is)
}

// count adds to the numbers of subscriptions: of a tenant and of all.
func (x *subscriptions) count(tenant string, d int) error {
	n, err := x.base.number(BucketTenants, record.TenantPrefix(tenant))
	if err != nil {
		return err
	}
	all, err := x.MetaNumber(MetaCount)
	if err != nil {
		return err
	}
	if err := x.putNumber(BucketTenants, record.TenantPrefix(tenant), n+uint64(d)); err != nil {
		return err
	}
	return x.PutMetaNumber(MetaCount, all+uint64(d))
}

// Number returns the number of a subscription; 0 if there is none with the ID.
func (x *subscriptions) Number(id string) (uint64, error) {
	return x.base.number(BucketSubscriptionIDs, []byte(id))
}

// LookUp reads a subscription by its ID. encoded is a copy of its record.
func (x *subscriptions) LookUp(
	id string,
) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	if num, err = x.Number(id); err != nil {
		return 0, nil, nil, err
	}
	key := record.Key1(num)
	v := x.base.Get(BucketSubscriptions, key[:])
	if v == nil {
		return 0, nil, nil, store.ErrNotFound
	}
	sub, err = record.DecodeSubscription(key[:], v)
	return num, sub, bytes.Clone(v), err
}

// ErrChanged says that a subscription was changed by somebody else meanwhile.
var ErrChanged = errors.New("the subscription has changed")

func (t *Tx) UpdateSubscription(
	num uint64, was *store.Subscription, is store.Subscription, encoded []byte,
) (store.Subscription, error) {
	key := record.Key1(num)
	if !bytes.Equal(t.Get(BucketSubscriptions, key[:]), encoded) {
		return is, ErrChanged
	}
	if err := t.CheckTenant(was.Tenant); err != nil {
		return is, err
	}
	at := record.AsTime(t.settings.Wall().UnixNano())
	is.CreatedAt, is.UpdatedAt, is.SubscribedAt = was.CreatedAt, at, was.SubscribedAt
	subscribed := was.Status != store.Subscribed && is.Status == store.Subscribed
	unsubscribed := was.Status == store.Subscribed && is.Status != store.Subscribed
	if subscribed {
		is.SubscribedAt = at
	}
	if err := t.Subs.put(num, was, &is); err != nil {
		return is, err
	}
	shared := is.Clone()
	t.effects.add(SubscriptionChanged{num, &shared})
	if unsubscribed {
		reason := is.DisabledReason
		if reason == "" {
			reason = "unsubscribed"
		}
		if err := t.cancelPending(num, reason); err != nil {
			return is, err
		}
	}
	if subscribed || was.URL != is.URL {
		t.Subs.setHealth(num, store.Health{})
	}
	return is, nil
}

// cancelPending marks all that is pending for a subscription as canceled. That takes no longer when
// it is much.
func (t *Tx) cancelPending(num uint64, reason string) error {
	seq, err := t.nextSeq()
	if err != nil {
		return err
	}
	marks, err := t.Pending.CancelAll(num, record.Mark{Seq: seq, At: t.Now, Reason: reason})
	if err != nil {
		return err
	}
	t.effects.add(PendingCanceled{num, marks})
	return nil
}

// DeleteSubscription removes a subscription. Its deliveries have no owner then, and are purged by
// Prune.
func (t *Tx) DeleteSubscription(id string) error {
	num, err := t.Subs.Number(id)
	if err != nil {
		return err
	}
	if num == 0 {
		return store.ErrNotFound
	}
	sub, err := t.Subs.Get(num)
	if err != nil {
		return err
	}
	if err := t.CheckTenant(sub.Tenant); err != nil {
		return err
	}
	return t.removeSubscription(num, sub)
}

// removeSubscription is DeleteSubscription of one that is there.
func (t *Tx) removeSubscription(num uint64, sub *store.Subscription) error {
	if err := t.Recipients.replace(num, sub, nil); err != nil {
		return err
	}
	if err := t.Subs.count(sub.Tenant, -1); err != nil {
		return err
	}
	key := record.Key1(num)
	for _, e := range []struct {
		from Bucket
		key  []byte
	}{
		{BucketSubscriptionIDs, []byte(sub.ID)}, {BucketSubscriptions, key[:]},
		{BucketTenants, record.TenantKey(sub.Tenant, num)}, {BucketHealth, key[:]},
	} {
		if err := t.remove(e.from, e.key); err != nil {
			return err
		}
	}
	t.Subs.set(num, nil)
	t.Pending.SetBacklog(num, &record.Backlog{Deleted: true})
	t.effects.add(SubscriptionDeleted{num})
	return nil
}
