package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/store"
)

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
	return d.change(ctx, ActionPause, id, check.SetStatus(store.Paused))
}

// Resume ends a Pause: what has collected is delivered in its order, by slow start, so that the
// endpoint does not get all of it at once: one attempt at a time at first, and twice as many with
// each success after some, up to Options.PerSubscription. It changes nothing of a subscription that
// is not paused. It returns store.ErrNotFound if the subscription does not exist, and
// store.ErrConflict if it is unsubscribed.
func (d *Dispatcher) Resume(ctx context.Context, id string) (store.Subscription, error) {
	return d.change(ctx, ActionResume, id, check.SetStatus(store.Subscribed))
}
