// Package registry makes, changes and removes subscriptions. Nothing else in the dispatcher does.
//
// Every change goes one way: what is asked for is checked against the options, the quota of its
// tenant and what its endpoint has proved. A change of what is stored is checked within the store's
// transaction, but for the host's own Quota function, which may block; a new subscription, and one
// that replaces another, before it. When it is stored, claims from before are kept back, Run is
// told what to ask or to remove, and then the host is told.
package registry

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/store"
)

// Registry has the subscriptions of a store. All fields must be set. It is safe for concurrent use.
type Registry struct {
	Store    store.Store
	Rules    *check.Rules
	Quotas   *quota.Keeper
	Proofs   Proofs
	Fence    Fence
	Listener Listener
}

// Proofs asks endpoints whether they want deliveries. A *verify.Service is one.
type Proofs interface {
	// Soon has the endpoint of a subscription that has changed asked, if that is needed.
	Soon(was, is *store.Subscription)
}

// Fence keeps attempts from starting that a change has overtaken. An *engine.Engine is one.
type Fence interface {
	Invalidate(of engine.Subject)
	PruneSoon()
}

// Listener is told of what was stored, in the goroutine of the call.
type Listener interface {
	SubscriptionChanged(ctx context.Context, c *Change)

	// SubscriptionDeleted has the subscription as it was. If it could not be read, only its ID is
	// set.
	SubscriptionDeleted(ctx context.Context, was store.Subscription)
}

// Change is a change that was stored.
type Change struct {
	Kind actor.Kind
	Was  store.Subscription // without its lists and maps; zero if it was made
	Is   store.Subscription
	Run  bool // Run made it, and not a call of the host
}

// Get returns a subscription, by its ID in any spelling.
func (r *Registry) Get(ctx context.Context, id string) (store.Subscription, error) {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	return r.Store.Subscription(ctx, id)
}

// Subscribe makes a subscription, or replaces the tenant's with that ID.
func (r *Registry) Subscribe(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	sub = sub.Clone()
	sub.Status, sub.DisabledReason, sub.OverlapUntil = store.Subscribed, "", time.Time{}
	sub.SealedWith = "" // the values are what the host gives
	sub.VerifiedAt, sub.NeedsProof, sub.AllowedRate = time.Time{}, false, 0
	if err := r.Rules.Subscription(&sub, &store.Subscription{}); err != nil {
		return store.Subscription{}, err
	}
	q, err := r.Quotas.Of(sub.Tenant)
	if err == nil {
		err = r.Quotas.CheckSize(&q, &sub, &store.Subscription{})
	}
	if err != nil {
		return store.Subscription{}, err
	}
	if sub.ID == "" {
		sub.ID = uuid.NewString()
		return r.create(ctx, &q, sub)
	}
	if sub.ID, err = check.SubscriptionID(sub.ID); err != nil {
		return store.Subscription{}, err
	}
	for {
		out, err := r.replace(ctx, &sub)
		if !errors.Is(err, store.ErrNotFound) {
			return out, err
		}
		out, err = r.create(ctx, &q, sub)
		if !errors.Is(err, store.ErrConflict) {
			return out, err
		}
		// The ID is another tenant's, or was created since.
		if cur, err := r.Store.Subscription(ctx, sub.ID); err == nil && cur.Tenant != sub.Tenant {
			return store.Subscription{}, store.ErrNotFound
		}
	}
}

// replace puts sub in the place of the tenant's subscription with its ID.
func (r *Registry) replace(
	ctx context.Context, sub *store.Subscription,
) (store.Subscription, error) {
	return r.Update(ctx, actor.Subscribe, false, sub.ID, func(cur *store.Subscription) error {
		if cur.Tenant != sub.Tenant {
			return store.ErrNotFound
		}
		next := check.Replaced(cur, sub)
		verify.DecideStatus(&next, cur, r.Rules.Verify)
		*cur = next
		return nil
	})
}

// create stores a new subscription, if the quota of its tenant has room for one.
func (r *Registry) create(
	ctx context.Context, q *quota.Limits, sub store.Subscription,
) (store.Subscription, error) {
	if err := r.Quotas.CheckRoom(ctx, q, sub.Tenant); err != nil {
		return store.Subscription{}, err
	}
	verify.DecideStatus(&sub, &store.Subscription{}, r.Rules.Verify)
	out, err := r.Store.CreateSubscription(ctx, sub)
	if err != nil {
		return out, err
	}
	r.Proofs.Soon(&store.Subscription{}, &out)
	r.Listener.SubscriptionChanged(ctx, &Change{Kind: actor.Subscribe, Is: out})
	return out, nil
}

// Change changes a subscription as its owner or the host asks, by the rules, the quota of its
// tenant and what its endpoint has proved. The kind of what is told follows from the status if the
// given one is actor.Update.
func (r *Registry) Change(
	ctx context.Context, kind actor.Kind, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return store.Subscription{}, err
	}
	q, err := r.Quotas.OfSubscription(ctx, id)
	if err != nil {
		return store.Subscription{}, err
	}
	return r.Update(ctx, kind, false, id, func(sub *store.Subscription) error {
		was := sub.Clone()
		if err := change(sub); err != nil {
			return err
		}
		sub.ID, sub.Tenant, sub.SealedWith = was.ID, was.Tenant, was.SealedWith
		sub.AllowedRate = was.AllowedRate // the endpoint's to say
		if err := r.Rules.Subscription(sub, &was); err != nil {
			return err
		}
		verify.DecideStatus(sub, &was, r.Rules.Verify)
		return r.Quotas.CheckSize(&q, sub, &was)
	})
}

// Update changes a stored subscription without any check: all that changes one comes here. run
// says that Run does it, and not a call of the host.
func (r *Registry) Update(
	ctx context.Context, kind actor.Kind, run bool, id string,
	change func(*store.Subscription) error,
) (store.Subscription, error) {
	var was store.Subscription // its strings alone: change may edit the rest in place
	out, err := r.Store.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
		was = *sub
		return change(sub)
	})
	// After an error too: the change may have been stored.
	r.Fence.Invalidate(engine.Subscription(id))
	if err != nil {
		return store.Subscription{}, err
	}
	r.Proofs.Soon(&was, &out)
	if out.Status == store.Unsubscribed {
		r.Fence.PruneSoon()
	}
	r.Listener.SubscriptionChanged(ctx, &Change{kindOf(kind, was.Status, out.Status), was, out, run})
	return out, nil
}

// kindOf returns the kind of an update that has changed the status. Other kinds stay as they are.
func kindOf(k actor.Kind, was, is store.Status) actor.Kind {
	switch {
	case k != actor.Update || was == is:
		return k
	case is == store.Unsubscribed:
		return actor.Unsubscribe
	case is == store.Unverified && was == store.Subscribed: // its URL has changed
		return k
	case is == store.Paused:
		return actor.Pause
	case was == store.Paused:
		return actor.Resume
	}
	return actor.Subscribe
}

// Delete removes a subscription with all that there is of it. One that can't be read can be
// deleted.
func (r *Registry) Delete(ctx context.Context, id string) error {
	id, err := check.SubscriptionID(id)
	if err != nil {
		return err
	}
	was, err := r.Store.Subscription(ctx, id)
	if err != nil {
		was = store.Subscription{ID: id}
	}
	err = r.Store.DeleteSubscription(ctx, id)
	r.Fence.Invalidate(engine.Subscription(id))
	r.Fence.PruneSoon()
	if err == nil {
		r.Listener.SubscriptionDeleted(ctx, was)
	}
	return err
}
