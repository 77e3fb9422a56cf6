package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Erase implements [store.History]. What it removes is gone from memory as soon as the claims are
// that hold it.
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	defer s.end()
	// One event is erased whole, and has no next page.
	if q.EventID != "" {
		e := s.log.byName[name{q.Tenant, q.EventID}]
		if e == nil {
			return 0, "", fmt.Errorf("memstore: erase: %w", store.ErrNotFound)
		}
		if s.isClosed(e.tenant) {
			return 0, "", fmt.Errorf("memstore: erase: %w", store.ErrMoved)
		}
		return s.erase([]*event{e}, now), "", nil
	}
	if s.isClosed(q.Tenant) {
		return 0, "", fmt.Errorf("memstore: erase: %w", store.ErrMoved)
	}
	// The tenant's own list: it costs nothing how many events others have. Events of subscriptions
	// that are deleted are in it until Prune removes them.
	all := func(*event) bool { return true }
	walk := page.Sorted(s.log.byTenant[q.Tenant], (*event).listPosition, all)
	limit := page.Limit(q.Limit)
	cursor, err := s.cursors.Open(q.Cursor)
	if err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	// From the oldest event on, and only forward: events that come meanwhile are at the end.
	step, next, err := walk.Step(cursor, limit, min(limit, store.DefaultDeliveryLimit))
	if err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	return s.erase(step.Items(), now), s.cursors.Seal(next), nil
}

// erase erases events and returns how many had not been yet.
func (s *state) erase(evs []*event, now time.Time) (n int) {
	for _, e := range evs {
		if e.erased {
			continue
		}
		n++
		// Replaced and not overwritten, because claims share the body. ID and key stay: the ID
		// keeps the event from being stored again.
		e.body, e.trace, e.erased = nil, "", true
		// Finished ones too: attempts have a history, and an override may hold what was sent.
		for _, d := range e.deliveries {
			d.bodyState, d.override = store.BodyUndecided, nil
			for i := range d.attempts {
				// An answer may repeat what was sent.
				d.attempts[i].Response, d.attempts[i].Detail = nil, nil
			}
			// Attempts that are under way go on; their tokens are worth nothing any more.
			if d.state == store.Pending {
				s.cancel(d, "erased", now)
			}
		}
	}
	return n
}
