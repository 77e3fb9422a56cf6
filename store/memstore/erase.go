package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Erase implements [store.History]. What it removes is gone from memory as soon as the claims are that hold it.
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	defer s.end()
	if q.EventID != "" {
		e := s.events[q.EventID]
		if e == nil {
			return 0, "", fmt.Errorf("memstore: erase: %w", store.ErrNotFound)
		}
		return s.erase([]*event{e}, now), "", nil
	}
	limit := q.Limit
	if limit <= 0 {
		limit = store.DefaultDeliveryLimit
	}
	placeOf := func(e *event) place { return place{e.num, 0} }
	w := walkOf(s.log, placeOf, func(e *event) bool { return e.tenant == q.Tenant })
	step, err := w.part(placeOf, q.Cursor, limit)
	if err != nil {
		return 0, "", fmt.Errorf("memstore: erase: %w", err)
	}
	next = w.next(&step)
	return s.erase(step.items, now), next, nil
}

// erase erases events and returns how many had not been yet.
func (s *Store) erase(evs []*event, now time.Time) (n int) {
	for _, e := range evs {
		if e.erased {
			continue
		}
		n++
		e.body, e.trace, e.erased = nil, "", true
		for _, d := range e.deliveries {
			d.bodyState, d.override = store.BodyUndecided, nil
			for i := range d.attempts {
				d.attempts[i].Response = nil
			}
			if d.state == store.Pending {
				s.cancel(d, "erased", now)
			}
		}
	}
	return n
}
