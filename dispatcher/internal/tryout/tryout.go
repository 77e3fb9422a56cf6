// Package tryout finds the recent events of a tenant that a filter can be tried on.
package tryout

import (
	"context"
	"errors"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// What is read at most: events, pages of deliveries, and deliveries in each.
const (
	Events   = 50
	pages    = 10
	pageSize = 100
)

// Recent returns the newest events of a tenant that the patterns select, newest first, n at most.
// It reads a bounded number of deliveries, so it may return fewer than there are. Events that were
// erased are not among them.
func Recent(
	ctx context.Context, s store.Store, tenant string, patterns []string, n int,
) (found []store.StoredEvent, err error) {
	q := store.DeliveryQuery{Tenant: tenant, Limit: pageSize}
	seen := make(map[string]bool)
	for range pages {
		page, err := s.Deliveries(ctx, q)
		if err != nil {
			return nil, err
		}
		others := false // whether the page is of more than one event
		for i := range page.Items {
			d := &page.Items[i]
			others = others || d.EventID != page.Items[0].EventID
			if seen[d.EventID] || d.Erased || !events.Wants(patterns, d.EventType) {
				continue
			}
			seen[d.EventID] = true
			ev, err := s.Event(ctx, tenant, d.EventID)
			// It may have been removed, or erased, meanwhile.
			if errors.Is(err, store.ErrNotFound) || err == nil && ev.Erased() {
				continue
			}
			if err != nil {
				return nil, err
			}
			if found = append(found, ev); len(found) == n {
				return found, nil
			}
		}
		if page.Next == "" {
			return found, nil
		}
		q.Cursor = page.Next
		// An event with thousands of deliveries would use up all pages: go on before it. That
		// passes over others of the same time, if there are any.
		if len(page.Items) == pageSize && !others {
			q.Cursor, q.Until = "", page.Items[0].CreatedAt
		}
	}
	return found, nil
}
