package erase

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Eraser erases for the host, and tells what was done. All fields must be set. It is safe for
// concurrent use.
type Eraser struct {
	Store store.Store
	Fence Fence

	// Canceled is told of what may have been pending: of one event, or of all of a tenant if
	// eventID is empty.
	Canceled func(tenant, eventID string)
	Acted    func(context.Context, actor.Action)
}

// Fence keeps attempts of what was erased from starting. An *engine.Engine is one.
type Fence interface {
	Invalidate(of engine.Subject)
	PruneSoon()
}

// Event erases one event.
func (e *Eraser) Event(ctx context.Context, tenant, eventID string) error {
	if eventID == "" {
		return &events.InvalidError{Field: "id", Reason: "is empty; name the event to erase"}
	}
	q := store.EraseQuery{Tenant: tenant, EventID: eventID}
	if _, err := e.erase(ctx, q, engine.Event(tenant, eventID)); err != nil {
		return fmt.Errorf("dispatcher: erase: %w", err)
	}
	e.Canceled(tenant, eventID)
	e.Acted(ctx, actor.Action{Kind: actor.Erase, Tenant: tenant, EventID: eventID})
	return nil
}

// Tenant erases all events of a tenant, and returns how many.
func (e *Eraser) Tenant(ctx context.Context, tenant string) (int, error) {
	n, err := e.erase(ctx, store.EraseQuery{Tenant: tenant}, engine.Tenant(tenant))
	if n > 0 {
		e.Canceled(tenant, "")
	}
	if n > 0 || err == nil {
		e.Acted(ctx, actor.Action{Kind: actor.EraseTenant, Tenant: tenant, Count: n})
	}
	if err != nil {
		return n, fmt.Errorf("dispatcher: erase tenant: %w", err)
	}
	return n, nil
}

// erase takes all steps of q, and keeps back what was claimed of it before.
func (e *Eraser) erase(
	ctx context.Context, q store.EraseQuery, of engine.Subject,
) (int, error) {
	// Also after an error: a step that failed may have been stored. Invalidate comes after the last
	// step, as it keeps back claims that are older than itself.
	defer e.Fence.PruneSoon()
	defer e.Fence.Invalidate(of)
	return All(ctx, e.Store, q)
}
