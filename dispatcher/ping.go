package dispatcher

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/ping"
	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TypePing is the type of the event that Ping sends.
const TypePing = "webhook.ping"

// maxPings is how many pings of one tenant are under way at once.
const maxPings = 4

// Ping posts an event of type TypePing, signed, to a subscription, now and by the path that
// deliveries take, and returns the attempt. Its payload is {"id":"<the subscription's ID>"}. It is
// not queued or retried, is in no history, and goes to an unsubscribed subscription too, but not to
// an endpoint that has yet to agree (see Options.Verify): that is an *events.InvalidError. When
// it succeeds, failures and holds of the subscription end, its breaker closes, and what waits for a
// retry is due at once, so that the owner of a repaired endpoint need not wait. Options.Transform,
// Options.Authenticate and Options.Sign apply to it, and of its Policy the request and what is a
// success; Options.Filter, the rate and the breaker do not. Run need not be running.
// Observer.OnPing, Stats and the log tell of it.
//
// It takes no slot of Concurrency. Of each tenant, at most four pings are under way at once, or
// PerSubscription if that is less; others of that tenant wait. Ping returns a *QuotaError and sends
// nothing beyond Quota.PingsPerMinute, and beyond one ping a second to one subscription, on
// average, with five at once.
//
// It returns store.ErrSealed if the subscription's headers and secrets don't open. Any other error
// is the store's, or the context's; what went wrong with the attempt is in
// Attempt.Error.
func (d *Dispatcher) Ping(ctx context.Context, id string) (store.Attempt, error) {
	return d.ping(ctx, id, TypePing, nil)
}

// PingExample is Ping with the Example of a type of EventTypes as the payload, whatever types the
// subscription wants. The endpoint can't tell the event from one that has happened. It returns an
// *events.InvalidError for a type that has no example, or is hidden from the tenant.
func (d *Dispatcher) PingExample(
	ctx context.Context, id, eventType string,
) (store.Attempt, error) {
	sub, err := d.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	example, err := ping.Example(d.EventTypesFor(sub.Tenant), eventType)
	if err != nil {
		return store.Attempt{}, err
	}
	return d.ping(ctx, id, eventType, example)
}

// ping sends an event of a type to a subscription. A nil payload is the subscription's ID.
func (d *Dispatcher) ping(
	ctx context.Context, id, eventType string, payload json.RawMessage,
) (store.Attempt, error) {
	sub, err := d.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	switch {
	case sub.SealedWith != "":
		return store.Attempt{}, send.SealedError(&sub)
	case sub.URL == "":
		return store.Attempt{}, check.NoURL("there is no endpoint to ping")
	case d.verify.Required() && !verify.Agreed(&sub):
		return store.Attempt{}, &events.InvalidError{Field: "id",
			Reason: "names a webhook whose endpoint has not agreed to get deliveries; verify it first"}
	}
	claim, err := ping.Claim(sub, eventType, payload)
	var policy *engine.Policy
	if err == nil {
		policy, err = d.enginePolicy(sub)
	}
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: ping: %w", err)
	}
	if err := d.quotas.AllowPing(&sub); err != nil {
		return store.Attempt{}, err
	}
	leave, err := d.pings.Enter(ctx, sub.Tenant)
	if err != nil {
		return store.Attempt{}, err
	}
	defer leave()
	a := d.sender.Send(ctx, claim, &policy.Send, "")
	d.pinged.Add(1)
	// At Debug, failed or not: its owner has seen the answer.
	d.o.Logger.LogAttrs(context.Background(), slog.LevelDebug, "outhook: ping sent",
		append(send.Attrs(claim), send.ResultAttrs(&a.Attempt)...)...)
	d.observe.pinged(claim, &a.Attempt)
	d.observe.acted(ctx, d.observe.Now, Action{
		Kind: ActionPing, Tenant: sub.Tenant, SubscriptionID: sub.ID,
	})
	err = ctx.Err()
	if a.Attempt.Error == "" {
		d.engine.Reached(&a)
		err = replay.Recovered(ctx, d.store, sub.ID)
	}
	return a.Attempt, err
}
