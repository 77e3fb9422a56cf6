package dispatcher

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Deliveries lists deliveries, newest first.
func (d *Dispatcher) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	return d.store.Deliveries(ctx, q)
}

// Attempts returns what the attempts of a delivery came to, oldest first. store.ErrNotFound when there is no such
// delivery.
func (d *Dispatcher) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	return d.store.Attempts(ctx, subscriptionID, eventID)
}

// Redeliver sends an event to a subscription again, at once and with a new set of attempts, whatever became of the
// delivery before, and with the next probe when the breaker is open. One that waits for a retry is made due now and keeps its count; one that is under way, or whose event
// was erased (Delivery.Erased), is left alone.
//
// store.ErrNotFound when there is no such delivery, store.ErrConflict when the subscription is unsubscribed.
func (d *Dispatcher) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	sub, err := d.Subscription(ctx, subscriptionID)
	if err != nil {
		return err
	}
	if _, err := d.store.Attempts(ctx, sub.ID, eventID); err != nil {
		return err
	}
	if sub.Status != store.Subscribed {
		return fmt.Errorf("dispatcher: redeliver: %w: the subscription is unsubscribed; subscribe it first", store.ErrConflict)
	}
	_, _, err = d.store.Requeue(ctx, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: sub.ID, EventID: eventID, States: store.States(),
	})
	return err
}
