package dispatcher

import (
	"context"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/registry"
	"github.com/outhook/outhook/dispatcher/internal/rotation"
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
	return d.registry.Subscribe(ctx, sub)
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
	return d.registry.Change(ctx, actor.Update, id, change)
}

// Unsubscribe stops deliveries to a subscription: what is pending becomes canceled, and after it
// returns no attempt starts. An attempt that is under way is not cut off. The subscription stays,
// and can be subscribed again; doing this twice is the same as once. It returns store.ErrNotFound
// if the subscription does not exist.
func (d *Dispatcher) Unsubscribe(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Change(ctx, actor.Unsubscribe, id, registry.Unsubscribe)
}

// Pause stops attempts at a subscription and keeps what is published for it: deliveries collect,
// pending, in their order, for as long as the pause lasts, also across restarts. After it returns
// no attempt starts, and no process claims any; an attempt that is under way is not cut off, and
// its outcome counts. Pausing twice is the same as once.
//
// Ping still sends, and Redeliver and Replay make deliveries pending, which then wait. What is
// pending counts for Quota.Pending, and is in the figures of Stats, OldestPending included.
// Unsubscribe cancels it; Resume, or Subscribe with the ID, lets it go. It returns
// store.ErrNotFound if the subscription does not exist, and store.ErrConflict if it is
// unsubscribed: it gets nothing that could collect.
func (d *Dispatcher) Pause(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Change(ctx, actor.Pause, id, registry.Pause)
}

// Resume ends a Pause: what has collected is delivered in its order, by slow start, so that the
// endpoint does not get all of it at once: one attempt at a time at first, and twice as many with
// each success after some, up to Options.PerSubscription. It changes nothing of a subscription that
// is not paused. It returns store.ErrNotFound if the subscription does not exist, and
// store.ErrConflict if it is unsubscribed.
func (d *Dispatcher) Resume(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Change(ctx, actor.Resume, id, registry.Resume)
}

// Delete removes a subscription with its deliveries and their history; after it returns no attempt
// starts. It returns store.ErrNotFound if the subscription does not exist.
func (d *Dispatcher) Delete(ctx context.Context, id string) error {
	return d.registry.Delete(ctx, id)
}

// Subscription returns a subscription, its secrets included. It returns store.ErrNotFound if the
// subscription does not exist.
func (d *Dispatcher) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Get(ctx, id)
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
	return d.registry.Change(ctx, actor.Rotate, id, change)
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
	return d.registry.Change(ctx, actor.Rotate, id, rotation.Unless(updatedAt, change))
}
