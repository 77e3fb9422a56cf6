package dispatcher

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/erase"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Erase removes what an event of a tenant carried, wherever it is kept: its payload, what
// Options.Transform made of it, its trace, and what endpoints answered to it. Deliveries of it that
// are pending become canceled with ReasonErased, those that are over stay in the history without
// what was removed, and none can be redelivered.
//
// After it returns no attempt starts. An attempt that is under way is not cut off: what is sent is
// sent. Erasing an event twice is the same as once. It returns store.ErrNotFound if the tenant has
// no such event stored; after any other error, call again.
func (d *Dispatcher) Erase(ctx context.Context, tenant, eventID string) error {
	if eventID == "" {
		return &events.InvalidError{Field: "id", Reason: "is empty; name the event to erase"}
	}
	q := store.EraseQuery{Tenant: tenant, EventID: eventID}
	_, err := d.erase(ctx, q, engine.Event(tenant, eventID))
	if err != nil {
		return fmt.Errorf("dispatcher: erase: %w", err)
	}
	d.observe.canceled(d.observe.Now,
		Cancellation{Tenant: tenant, EventID: eventID, Reason: ReasonErased})
	d.observe.acted(ctx, d.observe.Now, Action{
		Kind: ActionErase, Tenant: tenant, EventID: eventID,
	})
	return nil
}

// EraseTenant erases every event of a tenant, see Erase, and returns how many there were that had
// not been erased before; tenant "" has all events without a tenant. Its subscriptions stay. Events
// that are published while it runs may be left: publish none.
//
// It works in steps. If one fails, it returns the error and how many events it has erased; call it
// again for the rest.
func (d *Dispatcher) EraseTenant(ctx context.Context, tenant string) (int, error) {
	n, err := d.erase(ctx, store.EraseQuery{Tenant: tenant}, engine.Tenant(tenant))
	if n > 0 {
		d.observe.canceled(d.observe.Now, Cancellation{Tenant: tenant, Reason: ReasonErased})
	}
	if n > 0 || err == nil {
		d.observe.acted(ctx, d.observe.Now, Action{Kind: ActionEraseTenant, Tenant: tenant, Count: n})
	}
	if err != nil {
		return n, fmt.Errorf("dispatcher: erase tenant: %w", err)
	}
	return n, nil
}

// erase takes all steps of q, and keeps back what was claimed of it before.
func (d *Dispatcher) erase(
	ctx context.Context, q store.EraseQuery, of engine.Subject,
) (int, error) {
	// Also after an error: a step that failed may have been stored. Invalidate comes after the last
	// step, as it keeps back claims that are older than itself.
	defer d.engine.PruneSoon()
	defer d.engine.Invalidate(of)
	return erase.All(ctx, d.store, q)
}
