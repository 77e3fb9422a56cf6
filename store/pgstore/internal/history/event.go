package history

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

// Event returns an event of a tenant. It returns store.ErrNotFound if there is no such event, or no
// delivery of it any more.
func (h *History) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	// IDs are made plain: one that PostgreSQL can't keep would be an error, and is nobody's.
	ev := store.StoredEvent{ID: record.Plain(eventID), Tenant: record.Plain(tenant)}
	var w record.Window
	err := h.DB.Row(ctx, h.SQL.Event, ev.Tenant, ev.ID)(
		&ev.Type, &ev.Key, &ev.Time, &ev.EnqueuedAt, &ev.Body, &ev.Trace, &ev.Tags,
		&w.NotBefore, &w.ExpiresAt)
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.StoredEvent{}, err
	}
	w.Of(&ev.NotBefore, &ev.ExpiresAt)
	ev.Time, ev.EnqueuedAt = ev.Time.UTC(), ev.EnqueuedAt.UTC()
	return ev, nil
}
