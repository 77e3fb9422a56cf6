package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

func (t *txn) createSubscription(sub store.Subscription) (store.Subscription, error) {
	if num, err := t.subs.number(sub.ID); err != nil || num != 0 {
		if err == nil {
			err = fmt.Errorf("%s: %w", sub.ID, store.ErrConflict)
		}
		return sub, err
	}
	at := record.AsTime(t.settings.wall().UnixNano())
	sub.CreatedAt, sub.UpdatedAt, sub.SubscribedAt = at, at, time.Time{}
	if sub.Status == store.Subscribed {
		sub.SubscribedAt = at
	}
	num, err := t.nextSequence(BucketSubscriptions)
	if err != nil {
		return sub, err
	}
	if err := t.putNumber(BucketSubscriptionIDs, []byte(sub.ID), num); err != nil {
		return sub, err
	}
	if err := t.put(BucketTenants, record.TenantKey(sub.Tenant, num), nil); err != nil {
		return sub, err
	}
	if err := t.subs.count(sub.Tenant, 1); err != nil {
		return sub, err
	}
	return sub, t.subs.put(num, nil, &sub)
}

// put stores what a subscription has become.
func (x *subscriptions) put(num uint64, was, is *store.Subscription) error {
	key := record.Key1(num)
	if err := x.base.put(BucketSubscriptions, key[:], record.EncodeSubscription(key[:], is)); err != nil {
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
	all, err := x.metaNumber(metaCount)
	if err != nil {
		return err
	}
	if err := x.putNumber(BucketTenants, record.TenantPrefix(tenant), n+uint64(d)); err != nil {
		return err
	}
	return x.putMetaNumber(metaCount, all+uint64(d))
}

// number returns the number of a subscription; 0 if there is none with the ID.
func (x *subscriptions) number(id string) (uint64, error) {
	return x.base.number(BucketSubscriptionIDs, []byte(id))
}

// lookUp reads a subscription by its ID. encoded is a copy of its record.
func (x *subscriptions) lookUp(id string) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	if num, err = x.number(id); err != nil {
		return 0, nil, nil, err
	}
	key := record.Key1(num)
	v := x.base.get(BucketSubscriptions, key[:])
	if v == nil {
		return 0, nil, nil, store.ErrNotFound
	}
	sub, err = record.DecodeSubscription(key[:], v)
	return num, sub, bytes.Clone(v), err
}

// errChanged says that a subscription was changed by somebody else meanwhile.
var errChanged = errors.New("the subscription has changed")

func (t *txn) updateSubscription(num uint64, was *store.Subscription, is store.Subscription, encoded []byte) (store.Subscription, error) {
	key := record.Key1(num)
	if !bytes.Equal(t.get(BucketSubscriptions, key[:]), encoded) {
		return is, errChanged
	}
	at := record.AsTime(t.settings.wall().UnixNano())
	is.CreatedAt, is.UpdatedAt, is.SubscribedAt = was.CreatedAt, at, was.SubscribedAt
	subscribed := was.Status != store.Subscribed && is.Status == store.Subscribed
	unsubscribed := was.Status == store.Subscribed && is.Status != store.Subscribed
	if subscribed {
		is.SubscribedAt = at
	}
	if err := t.subs.put(num, was, &is); err != nil {
		return is, err
	}
	shared := is.Clone()
	t.effects.add(subscriptionChanged{num, &shared})
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
		t.subs.setHealth(num, record.Health{})
	}
	return is, nil
}

// cancelPending marks all that is pending for a subscription as canceled. That takes no longer when it is much.
func (t *txn) cancelPending(num uint64, reason string) error {
	seq, err := t.nextSeq()
	if err != nil {
		return err
	}
	marks, err := t.pending.CancelAll(num, record.Mark{Seq: seq, At: t.now, Reason: reason})
	if err != nil {
		return err
	}
	t.effects.add(pendingCanceled{num, marks})
	return nil
}

// deleteSubscription removes a subscription. Its deliveries are then nobody's, and are swept by Prune.
func (t *txn) deleteSubscription(id string) error {
	num, err := t.subs.number(id)
	if err != nil {
		return err
	}
	if num == 0 {
		return store.ErrNotFound
	}
	sub, err := t.subs.get(num)
	if err != nil {
		return err
	}
	if err := t.recipients.replace(num, sub, nil); err != nil {
		return err
	}
	if err := t.subs.count(sub.Tenant, -1); err != nil {
		return err
	}
	key := record.Key1(num)
	for _, e := range []struct {
		from Bucket
		key  []byte
	}{{BucketSubscriptionIDs, []byte(id)}, {BucketSubscriptions, key[:]}, {BucketTenants, record.TenantKey(sub.Tenant, num)}, {BucketHealth, key[:]}} {
		if err := t.remove(e.from, e.key); err != nil {
			return err
		}
	}
	t.subs.set(num, nil)
	t.pending.SetBacklog(num, &record.Backlog{Deleted: true})
	t.effects.add(subscriptionDeleted{num})
	return nil
}
