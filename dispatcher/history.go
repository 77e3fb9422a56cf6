package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/check"
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

// Erase removes what an event of a tenant carried, wherever it is kept: its payload, what
// Options.Transform made of it, its trace, and what endpoints answered to it. Deliveries of it that
// are pending become canceled with ReasonErased, those that are over stay in the history without
// what was removed, and none can be redelivered.
//
// After it returns no attempt starts. An attempt that is under way is not cut off: what is sent is
// sent. Erasing an event twice is the same as once. It returns store.ErrNotFound if the tenant has
// no such event stored; after any other error, call again.
func (d *Dispatcher) Erase(ctx context.Context, tenant, eventID string) error {
	return d.eraser.Event(ctx, tenant, eventID)
}

// EraseTenant erases every event of a tenant, see Erase, and returns how many there were that had
// not been erased before; tenant "" has all events without a tenant. Its subscriptions stay. Events
// that are published while it runs may be left: publish none.
//
// It works in steps. If one fails, it returns the error and how many events it has erased; call it
// again for the rest.
func (d *Dispatcher) EraseTenant(ctx context.Context, tenant string) (int, error) {
	return d.eraser.Tenant(ctx, tenant)
}
