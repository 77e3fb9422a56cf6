package store

import (
	"context"
	"time"
)

// StoredEvent is an event as Enqueue has stored it.
type StoredEvent struct {
	ID, Type, Tenant, Key string

	Time       time.Time // when it happened, in milliseconds
	EnqueuedAt time.Time
	Body       []byte // the wire body; empty if the event was erased
	Trace      string
}

// EventReader is what a [Store] may do beside: return events as they are stored, also those of
// which nothing is pending. It is for moving to another store.
type EventReader interface {
	// StoredEvent returns the event of a delivery. It returns [ErrNotFound] if the delivery does
	// not exist. Bound: one read.
	StoredEvent(ctx context.Context, subscriptionID, eventID string) (StoredEvent, error)
}
