package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// CreateSubscription implements [store.Subscriptions].
func (s *Store) CreateSubscription(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	err := sub.Validate()
	if err == nil {
		err = s.check(ctx)
	}
	sub = sub.Clone()
	var created store.Subscription
	if err == nil {
		err = s.submit(ctx, &op{run: func(t *txn) (err error) {
			created, err = t.createSubscription(sub)
			return err
		}})
	}
	if err != nil {
		return store.Subscription{}, fmt.Errorf("boltstore: create subscription: %w", err)
	}
	return created.Clone(), nil
}

func (t *txn) createSubscription(sub store.Subscription) (store.Subscription, error) {
	if num, err := t.number(subIDs, []byte(sub.ID)); err != nil || num != 0 {
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
	num, err := t.nextSequence(subs)
	if err != nil {
		return sub, err
	}
	if err := t.putNumber(subIDs, []byte(sub.ID), num); err != nil {
		return sub, err
	}
	if err := t.put(tenants, record.TenantKey(sub.Tenant, num), nil); err != nil {
		return sub, err
	}
	if err := t.countSubscriptions(sub.Tenant, 1); err != nil {
		return sub, err
	}
	return sub, t.putSubscription(num, nil, &sub)
}

// putSubscription stores what a subscription has become.
func (t *txn) putSubscription(num uint64, was, is *store.Subscription) error {
	key := record.Key1(num)
	if err := t.put(subs, key[:], record.EncodeSubscription(key[:], is)); err != nil {
		return err
	}
	t.setSub(num, is)
	return t.rewant(num, was, is)
}

// countSubscriptions adds to the numbers of subscriptions: of a tenant and of all.
func (t *txn) countSubscriptions(tenant string, d int) error {
	n, err := t.number(tenants, record.TenantPrefix(tenant))
	if err != nil {
		return err
	}
	all, err := t.metaNumber(metaCount)
	if err != nil {
		return err
	}
	if err := t.putNumber(tenants, record.TenantPrefix(tenant), n+uint64(d)); err != nil {
		return err
	}
	return t.putMetaNumber(metaCount, all+uint64(d))
}

// Subscription implements [store.Subscriptions].
func (s *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	_, sub, _, err := s.lookUpSubscription(ctx, id)
	if err != nil {
		return store.Subscription{}, fmt.Errorf("boltstore: subscription: %w", err)
	}
	return *sub, nil
}

// lookUpSubscription reads a subscription by its ID. encoded is a copy of its record.
func (s *Store) lookUpSubscription(ctx context.Context, id string) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	if err := s.check(ctx); err != nil {
		return 0, nil, nil, err
	}
	err = s.read(ctx, func(t *txn) error {
		if num, err = t.number(subIDs, []byte(id)); err != nil {
			return err
		}
		key := record.Key1(num)
		v := t.get(subs, key[:])
		if v == nil {
			return store.ErrNotFound
		}
		encoded = bytes.Clone(v)
		sub, err = record.DecodeSubscription(key[:], v)
		return err
	})
	return num, sub, encoded, err
}

// errChanged says that a subscription was changed by somebody else meanwhile.
var errChanged = errors.New("the subscription has changed")

// UpdateSubscription implements [store.Subscriptions].
func (s *Store) UpdateSubscription(ctx context.Context, id string, change func(*store.Subscription) error) (store.Subscription, error) {
	for {
		num, was, encoded, err := s.lookUpSubscription(ctx, id)
		if err != nil {
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
		is := was.Clone()
		if err := change(&is); err != nil { // here, and not where others would suffer when it panics or is slow
			return store.Subscription{}, err
		}
		is = is.Clone() // change may have kept what it put in
		if err := is.Validate(); err != nil {
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
		is.ID, is.Tenant = was.ID, was.Tenant
		var updated store.Subscription
		err = s.submit(ctx, &op{run: func(t *txn) (err error) {
			updated, err = t.updateSubscription(num, was, is, encoded)
			return err
		}})
		switch {
		case err == nil:
			return updated.Clone(), nil
		case !errors.Is(err, errChanged):
			return store.Subscription{}, fmt.Errorf("boltstore: update subscription: %w", err)
		}
	}
}

func (t *txn) updateSubscription(num uint64, was *store.Subscription, is store.Subscription, encoded []byte) (store.Subscription, error) {
	key := record.Key1(num)
	if !bytes.Equal(t.get(subs, key[:]), encoded) {
		return is, errChanged
	}
	at := record.AsTime(t.settings.wall().UnixNano())
	is.CreatedAt, is.UpdatedAt, is.SubscribedAt = was.CreatedAt, at, was.SubscribedAt
	subscribed := was.Status != store.Subscribed && is.Status == store.Subscribed
	unsubscribed := was.Status == store.Subscribed && is.Status != store.Subscribed
	if subscribed {
		is.SubscribedAt = at
	}
	if err := t.putSubscription(num, was, &is); err != nil {
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
		t.setHealth(num, record.Health{})
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

// DeleteSubscription implements [store.Subscriptions].
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	err := s.check(ctx)
	if err == nil {
		err = s.submit(ctx, &op{run: func(t *txn) error { return t.deleteSubscription(id) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: delete subscription: %w", err)
	}
	return nil
}

// deleteSubscription removes a subscription. Its deliveries are then nobody's, and are swept by Prune.
func (t *txn) deleteSubscription(id string) error {
	num, err := t.number(subIDs, []byte(id))
	if err != nil {
		return err
	}
	if num == 0 {
		return store.ErrNotFound
	}
	sub, err := t.sub(num)
	if err != nil {
		return err
	}
	if err := t.rewant(num, sub, nil); err != nil {
		return err
	}
	if err := t.countSubscriptions(sub.Tenant, -1); err != nil {
		return err
	}
	key := record.Key1(num)
	for _, e := range []struct {
		from bucketID
		key  []byte
	}{{subIDs, []byte(id)}, {subs, key[:]}, {tenants, record.TenantKey(sub.Tenant, num)}, {healths, key[:]}} {
		if err := t.remove(e.from, e.key); err != nil {
			return err
		}
	}
	t.setSub(num, nil)
	t.pending.SetBacklog(num, &record.Backlog{Deleted: true})
	t.effects.add(subscriptionDeleted{num})
	return nil
}
