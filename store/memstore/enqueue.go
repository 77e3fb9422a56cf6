package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Enqueue implements [store.Queue].
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := build(evs) // needs no lock
	if err != nil {
		return fmt.Errorf("memstore: enqueue: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: enqueue: %w", err)
	}
	defer s.end()
	for _, e := range built {
		if s.isClosed(e.tenant) {
			return fmt.Errorf("memstore: enqueue: event %s: %w", e.id, store.ErrMoved)
		}
	}
	added, err := s.log.unstored(built)
	if err != nil {
		return fmt.Errorf("memstore: enqueue: %w", err)
	}
	for _, e := range added {
		s.enqueue(e, now)
	}
	return nil
}

// build validates the events and makes their records.
func build(evs []events.Event) ([]*event, error) {
	built := make([]*event, len(evs))
	for i, ev := range evs {
		body, err := ev.Body()
		if err != nil {
			return nil, err
		}
		built[i] = &event{
			id:     ev.ID,
			typ:    ev.Type,
			tenant: ev.Tenant,
			key:    ev.Key,
			time:   time.UnixMilli(ev.Time.UnixMilli()).UTC(),
			body:   body,
			trace:  ev.Trace,
		}
	}
	return built, nil
}

// enqueue stores e with its deliveries, if any subscription wants it.
func (s *Store) enqueue(e *event, now time.Time) {
	e.num, e.enqueued = s.nextNum(), s.wall()
	for _, sub := range s.order {
		if !sub.wants(e) {
			continue
		}
		d := &delivery{sub: sub, event: e}
		sub.deliveries[e.num] = d
		e.deliveries = append(e.deliveries, d)
		if sub.Disabled() {
			d.canceled = sub.DisabledReason
			s.ended.conclude(d, store.Canceled, now)
			continue
		}
		s.revive(d, now)
	}
	if len(e.deliveries) > 0 {
		s.log.add(e)
	}
}

// revive makes a delivery pending and due now.
func (s *Store) revive(d *delivery, now time.Time) {
	d.leave() // the heap of what has finished
	d.state, d.due, d.finished = store.Pending, now, time.Time{}
	s.add(d, now)
}
