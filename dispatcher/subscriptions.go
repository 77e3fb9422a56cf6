package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Subscribe makes a subscription of sub's Tenant, Name, URL, Events, Headers and Secrets, and returns it as stored.
//
// Without an ID it gets a random one. With an ID that exists, it replaces everything that subscription had and
// subscribes it again if it was not, from now on; its history and what is pending stay. With an ID that does not exist,
// it is created under that. The ID of another tenant's subscription is store.ErrNotFound. What is wrong with sub is an
// *events.InvalidError, and nothing is stored.
func (d *Dispatcher) Subscribe(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	sub = sub.Clone()
	sub.Status, sub.DisabledReason, sub.OverlapUntil = store.Subscribed, "", time.Time{}
	if err := d.checkSubscription(&sub, &store.Subscription{}); err != nil {
		return store.Subscription{}, err
	}
	if sub.ID == "" {
		sub.ID = uuid.NewString()
		return d.create(ctx, sub)
	}
	var err error
	if sub.ID, err = checkID(sub.ID); err != nil {
		return store.Subscription{}, err
	}
	for {
		out, err := d.update(ctx, d.observe.now, sub.ID, func(cur *store.Subscription) error {
			if cur.Tenant != sub.Tenant {
				return store.ErrNotFound
			}
			*cur = sub.Clone()
			return nil
		})
		if !errors.Is(err, store.ErrNotFound) {
			return out, err
		}
		out, err = d.create(ctx, sub)
		if !errors.Is(err, store.ErrConflict) {
			return out, err
		}
		// The ID is another tenant's, or somebody has created it since.
		if cur, err := d.store.Subscription(ctx, sub.ID); err == nil && cur.Tenant != sub.Tenant {
			return store.Subscription{}, store.ErrNotFound
		}
	}
}

func (d *Dispatcher) create(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	out, err := d.store.CreateSubscription(ctx, sub)
	if err == nil {
		d.observe.subscriptionChanged(d.observe.now, out)
	}
	return out, err
}

// Update changes a subscription: change gets it as it is and leaves it as it shall be. It runs in the store's
// transaction, possibly more than once, and must not call the Dispatcher; an error that it returns is returned, and
// undoes all. ID, Tenant and the times cannot be changed. The next attempt goes by the new values, including those of
// deliveries that are pending.
//
// Setting Status to store.Unsubscribed cancels what is pending; see Unsubscribe. What is wrong with the result is an
// *events.InvalidError; store.ErrNotFound when there is no such subscription.
func (d *Dispatcher) Update(ctx context.Context, id string, change func(*store.Subscription) error) (store.Subscription, error) {
	return d.update(ctx, d.observe.now, id, func(sub *store.Subscription) error {
		was := sub.Clone()
		if err := change(sub); err != nil {
			return err
		}
		sub.ID, sub.Tenant = was.ID, was.Tenant
		return d.checkSubscription(sub, &was)
	})
}

// update is the one way in which a stored subscription changes: by the host, of which the Observer
// is told now, or by the engine, of which it is told later.
func (d *Dispatcher) update(ctx context.Context, tell func(func()), id string, change func(*store.Subscription) error) (store.Subscription, error) {
	id, err := checkID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	var was store.Status
	out, err := d.store.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
		was = sub.Status
		return change(sub)
	})
	d.engine.Invalidate(engine.Subscription(id))
	if err != nil {
		return store.Subscription{}, err
	}
	d.observe.subscriptionChanged(tell, out)
	if out.Status == store.Unsubscribed {
		d.engine.PruneSoon()
		if was == store.Subscribed {
			d.observe.canceled(tell, Cancellation{SubscriptionID: out.ID, Tenant: out.Tenant, Reason: cmp.Or(out.DisabledReason, ReasonUnsubscribed)})
		}
	}
	return out, nil
}

// Unsubscribe stops deliveries to a subscription: what is pending becomes canceled, and after it returns no attempt
// starts. An attempt that is under way is not cut off. The subscription stays, and can be subscribed again; doing this
// twice is the same as once. store.ErrNotFound when there is no such subscription.
func (d *Dispatcher) Unsubscribe(ctx context.Context, id string) (store.Subscription, error) {
	return d.Update(ctx, id, func(sub *store.Subscription) error {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
		return nil
	})
}

// Delete removes a subscription with its deliveries and their history; after it returns no attempt starts.
// store.ErrNotFound when there is no such subscription.
func (d *Dispatcher) Delete(ctx context.Context, id string) error {
	id, err := checkID(id)
	if err != nil {
		return err
	}
	was := store.Subscription{ID: id}
	if d.observe.o.OnDelete != nil {
		if sub, err := d.store.Subscription(ctx, id); err == nil { // one that can't be read can be deleted
			was = sub
		}
	}
	err = d.store.DeleteSubscription(ctx, id)
	d.engine.Invalidate(engine.Subscription(id))
	d.engine.PruneSoon()
	if err == nil {
		d.observe.deleted(was)
	}
	return err
}

// Subscription returns a subscription, its secrets included. store.ErrNotFound when there is none.
func (d *Dispatcher) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	id, err := checkID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.store.Subscription(ctx, id)
}

// Subscriptions lists subscriptions, oldest first.
func (d *Dispatcher) Subscriptions(ctx context.Context, q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	return d.store.Subscriptions(ctx, q)
}

// RotateSecret gives a subscription a new key; if next is empty, a generated one, which is the last of Secrets in what it
// returns. During the overlap deliveries carry signatures by the old key and the new one, so that a receiver has that
// long to learn the new key; afterwards only by the new. The Airy header, which has room for one signature, keeps the old key
// until the overlap ends. Without an overlap the new key takes over at once.
//
// The overlap is a positive duration or zero. Rotations may overlap, up to MaxSecrets keys; the last one's overlap then
// counts for all old keys. Doing it again with a key that is there already adds none. store.ErrNotFound when there is no
// such subscription.
func (d *Dispatcher) RotateSecret(ctx context.Context, id string, next signing.Secret, overlap time.Duration) (store.Subscription, error) {
	if overlap < 0 {
		return store.Subscription{}, &events.InvalidError{Field: "overlap", Reason: "must not be negative"}
	}
	if next == "" {
		next = signing.NewSecret()
	}
	return d.Update(ctx, id, func(sub *store.Subscription) error {
		now := time.Now()
		var keys []signing.Secret
		if overlap > 0 {
			keys = slices.DeleteFunc(slices.Clone(sub.Keys(now)), func(key signing.Secret) bool { return key == next })
		}
		sub.Secrets = append(keys, next)
		sub.OverlapUntil = time.Time{}
		if len(sub.Secrets) > 1 {
			sub.OverlapUntil = now.Add(overlap)
		}
		return nil
	})
}
