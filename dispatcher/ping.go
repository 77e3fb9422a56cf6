package dispatcher

import (
	"context"

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
	return d.pinger.Ping(ctx, id, TypePing)
}

// PingExample is Ping with the Example of a type of EventTypes as the payload, whatever types the
// subscription wants. The endpoint can't tell the event from one that has happened. It returns an
// *events.InvalidError for a type that has no example, or is hidden from the tenant.
func (d *Dispatcher) PingExample(
	ctx context.Context, id, eventType string,
) (store.Attempt, error) {
	return d.pinger.Example(ctx, id, eventType)
}
