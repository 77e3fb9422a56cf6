package dispatcher

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/store"
)

// Deliveries lists deliveries, newest first. It returns an *events.InvalidError for a query that is
// out of its bounds or contradicts itself.
func (d *Dispatcher) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	if err := check.DeliveryQuery(&q); err != nil {
		return store.Page[store.Delivery]{}, err
	}
	return d.store.Deliveries(ctx, q)
}

// Attempts returns the attempts of a delivery, oldest first. It returns store.ErrNotFound if the
// delivery does not exist.
func (d *Dispatcher) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	return d.store.Attempts(ctx, subscriptionID, eventID)
}

// Redeliver sends an event to a subscription again, at once and with a new set of attempts, in any
// state of the delivery. If the breaker is open, it goes with the next probe. A delivery that waits
// for a retry is made due now and keeps its count. One that is under way, is not to be sent yet
// (Event.NotBefore), or whose event was erased or has expired, is left alone.
//
// It returns store.ErrNotFound if the delivery does not exist, store.ErrConflict if the
// subscription is unsubscribed, and a *QuotaError beyond Quota.ReplaysPerMinute.
func (d *Dispatcher) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	sub, err := d.Subscription(ctx, subscriptionID)
	if err != nil {
		return err
	}
	if _, err := d.store.Attempts(ctx, sub.ID, eventID); err != nil {
		return err
	}
	if err := check.Collects(&sub); err != nil {
		return fmt.Errorf("dispatcher: redeliver: %w", err)
	}
	if err := d.quotas.AllowReplay(sub.Tenant); err != nil {
		return err
	}
	_, err = replay.Step(ctx, d.store, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: sub.ID, EventID: eventID, States: store.States(),
	})
	if err == nil {
		d.observe.acted(ctx, d.observe.Now, Action{
			Kind: ActionRedeliver, Tenant: sub.Tenant, SubscriptionID: sub.ID, EventID: eventID,
		})
	}
	return err
}

// Replay makes every finished delivery that q matches pending again, with a new set of attempts,
// and returns how many. When q.States names store.Pending, deliveries that wait for a retry are
// made due now as well. Where a breaker is open, the next probe is made now. Deliveries of
// unsubscribed subscriptions and of events that were erased or have expired are passed over.
//
// It returns an *events.InvalidError for a query that is out of its bounds or contradicts itself,
// or that has a Cursor, a Limit or Count, which would have no effect: a replay is of all that
// matches. Beyond Quota.ReplaysPerMinute it returns a *QuotaError and changes nothing. With
// q.AnyTenant the replay is the host's own and has no quota. Replay works in steps: after any other
// error it returns how many deliveries it has made pending, and a further call replays the rest.
func (d *Dispatcher) Replay(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := check.ReplayQuery(&q); err != nil {
		return 0, err
	}
	if !q.AnyTenant {
		if err := d.quotas.AllowReplay(q.Tenant); err != nil {
			return 0, err
		}
	}
	n, err := replay.All(ctx, d.store, q)
	if n > 0 || err == nil {
		d.observe.acted(ctx, d.observe.Now, Action{
			Kind: ActionReplay, Tenant: q.Tenant, SubscriptionID: q.SubscriptionID,
			EventID: q.EventID, Count: n,
		})
	}
	return n, err
}

// ReplayCount returns how many deliveries Replay would make pending if it were called now. It
// changes nothing. Its query is as that of Replay.
func (d *Dispatcher) ReplayCount(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := check.ReplayQuery(&q); err != nil {
		return 0, err
	}
	return replay.Count(ctx, d.store, q)
}
