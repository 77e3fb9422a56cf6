package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/rotation"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The bounds of a subscription.
const (
	MaxURL         = check.MaxURL         // bytes
	MaxName        = check.MaxName        // characters
	MaxEvents      = check.MaxEvents      // patterns
	MaxSecrets     = check.MaxSecrets     // keys that sign at once, while several rotations overlap
	MaxHeaders     = check.MaxHeaders     // entries
	MaxHeaderName  = check.MaxHeaderName  // bytes
	MaxHeaderValue = check.MaxHeaderValue // bytes
)

// Subscribe makes a subscription of what sub says, but for its Status, times and proofs, and
// returns it as stored. With Options.Verify it is Unverified until its endpoint agrees.
//
// Without an ID it gets a random one. With an ID that exists, it replaces everything that
// subscription had and subscribes it again if it was not, from now on; its history and what is
// pending stay. With an ID that does not exist, it is created under that. It returns
// store.ErrNotFound if the ID is another tenant's, an *events.InvalidError if sub is invalid, and a
// *QuotaError if it exceeds the tenant's Quota; nothing is stored then.
func (d *Dispatcher) Subscribe(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	sub = sub.Clone()
	sub.Status, sub.DisabledReason, sub.OverlapUntil = store.Subscribed, "", time.Time{}
	sub.SealedWith = "" // the values are what the host gives
	if err := d.rules.Subscription(&sub, &store.Subscription{}); err != nil {
		return store.Subscription{}, err
	}
	q, err := d.quotas.Of(sub.Tenant)
	if err == nil {
		err = d.quotas.CheckSize(&q, &sub, &store.Subscription{})
	}
	if err != nil {
		return store.Subscription{}, err
	}
	if sub.ID == "" {
		sub.ID = uuid.NewString()
		return d.create(ctx, &q, sub)
	}
	if sub.ID, err = check.SubscriptionID(sub.ID); err != nil {
		return store.Subscription{}, err
	}
	for {
		replace := func(cur *store.Subscription) error {
			if cur.Tenant != sub.Tenant {
				return store.ErrNotFound
			}
			next := d.rules.Replaced(cur, &sub)
			verify.Settle(&next, cur, d.rules.Verify)
			*cur = next
			return nil
		}
		out, err := d.update(ctx, d.observe.Now, ActionSubscribe, sub.ID, replace)
		if !errors.Is(err, store.ErrNotFound) {
			return out, err
		}
		out, err = d.create(ctx, &q, sub)
		if !errors.Is(err, store.ErrConflict) {
			return out, err
		}
		// The ID is another tenant's, or was created since.
		if cur, err := d.store.Subscription(ctx, sub.ID); err == nil && cur.Tenant != sub.Tenant {
			return store.Subscription{}, store.ErrNotFound
		}
	}
}

// create stores a new subscription, if the quota of its tenant has room for one.
func (d *Dispatcher) create(
	ctx context.Context, q *quota.Limits, sub store.Subscription,
) (store.Subscription, error) {
	if err := d.quotas.CheckRoom(ctx, q, sub.Tenant); err != nil {
		return store.Subscription{}, err
	}
	verify.Settle(&sub, &store.Subscription{}, d.rules.Verify)
	out, err := d.store.CreateSubscription(ctx, sub)
	if err == nil {
		d.verify.Soon(&store.Subscription{}, &out)
		d.observe.subscriptionChanged(d.observe.Now, out)
		d.observe.acted(ctx, d.observe.Now, Action{
			Kind: ActionSubscribe, Tenant: out.Tenant, SubscriptionID: out.ID,
		})
	}
	return out, err
}

// Update changes a subscription: change gets the present one and edits it. It runs in the store's
// transaction, possibly more than once, and must not call the Dispatcher. If it returns an error,
// Update returns that, and nothing is changed. ID, Tenant and the times cannot be changed. The next
// attempt uses the new values, also for deliveries that are pending. For a change of what was seen
// and of nothing later, change compares UpdatedAt, which no two states have in common.
//
// Of a subscription that does not open (SealedWith is not empty), the values of Headers and Secrets
// are as they are stored. They can be left, or be replaced all together, which makes the
// subscription work again; it returns store.ErrSealed for a change of a part of them, or of the URL
// without them.
//
// Setting Status to store.Unsubscribed cancels what is pending, see Unsubscribe; for store.Paused
// see Pause. It returns an *events.InvalidError if the result is invalid, a *QuotaError if it has
// grown beyond Quota.SubscriptionBytes, and store.ErrNotFound if the subscription does not exist.
func (d *Dispatcher) Update(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	return d.change(ctx, ActionUpdate, id, change)
}

// change is what Update does, for an action of any kind.
func (d *Dispatcher) change(
	ctx context.Context, kind ActionKind, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	q, err := d.quotas.OfSubscription(ctx, id)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.update(ctx, d.observe.Now, kind, id, func(sub *store.Subscription) error {
		was := sub.Clone()
		if err := change(sub); err != nil {
			return err
		}
		sub.ID, sub.Tenant, sub.SealedWith = was.ID, was.Tenant, was.SealedWith
		if err := d.rules.Subscription(sub, &was); err != nil {
			return err
		}
		verify.Settle(sub, &was, d.rules.Verify)
		return d.quotas.CheckSize(&q, sub, &was)
	})
}

// update changes a stored subscription; nothing else does. Tell is observe.Now for a change of the
// host, and observe.Later for one of the engine.
func (d *Dispatcher) update(
	ctx context.Context, tell func(func()), kind ActionKind, id string,
	change func(*store.Subscription) error,
) (store.Subscription, error) {
	var was store.Subscription // its strings alone: change may edit the rest in place
	out, err := d.store.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
		was = *sub
		return change(sub)
	})
	d.engine.Invalidate(engine.Subscription(id))
	if err != nil {
		return store.Subscription{}, err
	}
	d.verify.Soon(&was, &out)
	d.observe.subscriptionChanged(tell, out)
	if out.Status == store.Unsubscribed {
		d.engine.PruneSoon()
		if was.Collects() {
			d.observe.canceled(tell, Cancellation{
				SubscriptionID: out.ID,
				Tenant:         out.Tenant,
				Reason:         cmp.Or(out.DisabledReason, ReasonUnsubscribed),
			})
		}
	}
	d.observe.acted(ctx, tell, Action{
		Kind: kind.of(was.Status, out.Status), Tenant: out.Tenant, SubscriptionID: out.ID,
	})
	return out, nil
}

// Unsubscribe stops deliveries to a subscription: what is pending becomes canceled, and after it
// returns no attempt starts. An attempt that is under way is not cut off. The subscription stays,
// and can be subscribed again; doing this twice is the same as once. It returns store.ErrNotFound
// if the subscription does not exist.
func (d *Dispatcher) Unsubscribe(ctx context.Context, id string) (store.Subscription, error) {
	return d.change(ctx, ActionUnsubscribe, id, func(sub *store.Subscription) error {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
		return nil
	})
}

// Delete removes a subscription with its deliveries and their history; after it returns no attempt
// starts. It returns store.ErrNotFound if the subscription does not exist.
func (d *Dispatcher) Delete(ctx context.Context, id string) error {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return err
	}
	was := store.Subscription{ID: id}
	if d.observe.o.OnDelete != nil || d.observe.o.OnAction != nil || Actor(ctx) != "" {
		// one that can't be read can be deleted
		if sub, err := d.store.Subscription(ctx, id); err == nil {
			was = sub
		}
	}
	err = d.store.DeleteSubscription(ctx, id)
	d.engine.Invalidate(engine.Subscription(id))
	d.engine.PruneSoon()
	if err == nil {
		d.observe.deleted(was)
		d.observe.acted(ctx, d.observe.Now, Action{
			Kind: ActionDelete, Tenant: was.Tenant, SubscriptionID: id,
		})
	}
	return err
}

// Subscription returns a subscription, its secrets included. It returns store.ErrNotFound if the
// subscription does not exist.
func (d *Dispatcher) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.store.Subscription(ctx, id)
}

// Subscriptions lists subscriptions, oldest first. It returns an *events.InvalidError for a query
// that is out of its bounds or contradicts itself.
func (d *Dispatcher) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	if err := check.SubscriptionQuery(&q); err != nil {
		return store.Page[store.Subscription]{}, err
	}
	return d.store.Subscriptions(ctx, q)
}

// RotateSecret gives a subscription a new key; if next is empty, a generated one of the kind of the
// newest that it has, which is the last of Secrets in what it returns. During the overlap
// deliveries carry signatures by the old key and the new one, whatever their kinds, so that a
// receiver has that long to learn the new key; afterwards only by the new. The Airy header, which
// has room for one signature, keeps the old key until the overlap ends. Without an overlap the new
// key takes over at once.
//
// The overlap is a positive duration, store.MaxDuration at most, or zero. Rotations may overlap,
// up to MaxSecrets keys; the last one's overlap then counts for all old keys. Doing it again with a
// key that is there already adds none. It returns store.ErrNotFound if the subscription does not
// exist, and store.ErrSealed if its other keys or its headers don't open.
func (d *Dispatcher) RotateSecret(
	ctx context.Context, id string, next signing.Secret, overlap time.Duration,
) (store.Subscription, error) {
	change, err := rotation.To(next, overlap)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.change(ctx, ActionRotate, id, change)
}

// RotateSecretIf is RotateSecret for a caller that has seen the subscription with this UpdatedAt:
// if it has changed since, it returns store.ErrConflict and changes nothing. Of several that have
// seen the same state, also if they call at the same time, one rotates.
func (d *Dispatcher) RotateSecretIf(
	ctx context.Context, id string, updatedAt time.Time, next signing.Secret,
	overlap time.Duration,
) (store.Subscription, error) {
	change, err := rotation.To(next, overlap)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.change(ctx, ActionRotate, id, rotation.Unless(updatedAt, change))
}
