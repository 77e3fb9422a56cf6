package dispatcher

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TypePing is the type of the event that Ping sends.
const TypePing = "webhook.ping"

// Ping posts an event of type TypePing, signed, to a subscription, now and by the path that deliveries take, and returns
// what came of it. Its payload is {"id":"<the subscription's ID>"}. It is not queued, retried, recorded or counted, and
// goes to an unsubscribed subscription too. But when it succeeds and the breaker is open, the next probe is made at once:
// whoever mends an endpoint need not wait for it. Options.Transform and Options.Sign apply to it; Options.Filter, Options.RateLimit
// and the breaker do not. Run need not be running. Of each tenant, at most Options.PerSubscription pings are under way at
// once; others of that tenant wait.
//
// The error is the store's, or the context's; what went wrong with the attempt is in Attempt.Error.
func (d *Dispatcher) Ping(ctx context.Context, id string) (store.Attempt, error) {
	sub, err := d.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	if send.IsSealed(&sub) {
		return store.Attempt{}, send.SealedError(sub.ID)
	}
	e, err := events.New(TypePing, map[string]string{"id": sub.ID})
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: ping: %w", err)
	}
	body, err := e.Body()
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: ping: %w", err)
	}
	leave, err := d.pings.enter(ctx, sub.Tenant)
	if err != nil {
		return store.Attempt{}, err
	}
	defer leave()
	a := d.sender.Send(ctx, &store.Claim{
		Lease:        store.Lease{SubscriptionID: sub.ID, EventID: e.ID},
		Subscription: sub,
		EventType:    e.Type,
		Tenant:       sub.Tenant,
		EventTime:    e.Time,
		Body:         body,
		Attempt:      1,
	}, "")
	err = ctx.Err()
	if a.Attempt.Error == "" {
		err = d.unhold(ctx, sub.ID)
	}
	return a.Attempt, err
}

// unhold has a subscription that is held claimed at once.
func (d *Dispatcher) unhold(ctx context.Context, id string) error {
	stats, err := d.store.Stats(ctx, id)
	if err != nil || stats.Health.HeldUntil.IsZero() {
		return err
	}
	_, _, err = d.store.Requeue(ctx, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: id, States: []store.State{store.Pending}, Limit: 1,
	})
	return err
}
