package dispatcher

import (
	"context"
	"errors"
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
	MaxURL         = check.MaxURL         // 2048 bytes
	MaxName        = check.MaxName        // 256 characters
	MaxEvents      = check.MaxEvents      // 256 patterns
	MaxSecrets     = check.MaxSecrets     // 8 keys that sign at once, while several rotations overlap
	MaxHeaders     = check.MaxHeaders     // 32 entries
	MaxHeaderName  = check.MaxHeaderName  // 256 bytes
	MaxHeaderValue = check.MaxHeaderValue // 4096 bytes
)

// Subscribe stores a subscription and returns it as stored. It must have a URL, unless
// Options.AllowPull is set; everything else is optional, and its Status, times and proofs are
// ignored. With Options.Verify it is Unverified until its endpoint agrees.
//
// Without an ID it gets a random one, and with an ID that does not exist it gets that. With the ID
// of a subscription that exists, it replaces all of that subscription's settings, and subscribes it
// again if it was unsubscribed; the history and pending deliveries stay.
//
// It returns store.ErrNotFound if the ID is another tenant's, an *events.InvalidError if sub is
// invalid, and a *QuotaError if it exceeds the tenant's Quota; nothing is stored then.
func (d *Dispatcher) Subscribe(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	return d.registry.Subscribe(ctx, sub)
}

// Update changes a subscription: change gets the present one and edits it. It runs in the store's
// transaction, possibly more than once, and must not call the Dispatcher. If it returns an error,
// Update returns that, and nothing is changed. ID, Tenant and the times cannot be changed. The next
// attempt uses the new values, also for deliveries that are pending. To change a subscription only
// if nobody else has since it was read, compare UpdatedAt in change and return an error if it
// differs: each change gives it a later value.
//
// If the subscription can't be decrypted (SealedWith is not empty; see package sealed), Headers and
// Secrets have encrypted values. Leave them, or replace all of them, which makes the subscription
// work again. Update returns store.ErrSealed if change replaces only some of them, or the URL
// without them.
//
// Setting Status to store.Unsubscribed cancels pending deliveries as [Dispatcher.Unsubscribe] does;
// store.Paused is the same as [Dispatcher.Pause]. Update returns an *events.InvalidError if the
// result is invalid, a *QuotaError if it has grown beyond Quota.SubscriptionBytes, and
// store.ErrNotFound if the subscription does not exist.
func (d *Dispatcher) Update(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	if change == nil {
		return store.Subscription{}, errors.New("dispatcher: update: change is nil; " +
			"give a function that edits the subscription")
	}
	return d.registry.Change(ctx, actor.Update, id, change)
}

// Unsubscribe stops deliveries to a subscription: pending ones are canceled, and after it returns
// no attempt starts. An attempt that is under way is not cut off. The subscription stays, and can
// be subscribed again. Calling it twice is the same as once. It returns store.ErrNotFound if the
// subscription does not exist.
func (d *Dispatcher) Unsubscribe(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Change(ctx, actor.Unsubscribe, id, registry.Unsubscribe)
}

// Pause stops attempts at a subscription and keeps what is published for it: deliveries collect,
// pending, in their order, for as long as the pause lasts, also across restarts. After it returns
// no attempt starts, and no process claims any; an attempt that is under way is not cut off, and
// its outcome counts. Pausing twice is the same as once.
//
// Ping still sends, and Redeliver and Replay make deliveries pending, which then wait. Deliveries
// that wait count for Quota.Pending and in Stats, OldestPending included. Unsubscribe cancels them;
// Resume, or Subscribe with the ID, lets them go. Pause returns store.ErrNotFound if the
// subscription does not exist, and store.ErrConflict if it is unsubscribed: no events are kept for
// such a subscription.
func (d *Dispatcher) Pause(ctx context.Context, id string) (store.Subscription, error) {
	return d.registry.Change(ctx, actor.Pause, id, registry.Pause)
}

// Resume ends a Pause: what has collected is delivered in its order. So that the endpoint does not
// get all of it at once, one attempt at a time is made until some have succeeded, then twice as
// many with each success, up to Options.PerSubscription. Resume changes nothing of a subscription
// that is not paused. It returns store.ErrNotFound if the subscription does not exist, and
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

// RotateSecret gives a subscription a new key, which is the last of Secrets in what it returns. If
// next is empty, it generates one, of the kind (HMAC or Ed25519) of the newest key. During the
// overlap each delivery has a signature by the old key and one by the new key, so that a receiver
// has that long to take the new key in; afterwards it has one by the new key alone. The Airy header
// has room for one signature: it changes to the new key when the overlap ends. With an overlap of
// zero the new key replaces the old one at once.
//
// The overlap is from 0 to store.MaxDuration. Rotations may overlap, up to MaxSecrets keys; the
// overlap of the last rotation then counts for all old keys. A key that the subscription has is not
// added again. RotateSecret returns store.ErrNotFound if the subscription does not
// exist, and store.ErrSealed if its other keys or its headers can't be decrypted.
func (d *Dispatcher) RotateSecret(
	ctx context.Context, id string, next signing.Secret, overlap time.Duration,
) (store.Subscription, error) {
	change, err := rotation.To(next, overlap)
	if err != nil {
		return store.Subscription{}, err
	}
	return d.registry.Change(ctx, actor.Rotate, id, change)
}

// RotateSecretIf is RotateSecret for a caller that has read the subscription with this UpdatedAt.
// If the subscription has changed since, it returns store.ErrConflict and changes nothing. Of
// several callers that have read the same state, one rotates the key, even if they call at the same
// time.
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
