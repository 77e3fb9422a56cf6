package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Enqueue implements [store.Queue]. All or none: the IDs of all events are looked at before the
// first is stored.
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
	// Before anything is stored, as with the IDs.
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

// build validates the events and makes their records. The error is that of the first event that is
// not valid. A record shares the memory of no event: its body is encoded here.
func build(evs []events.Event) ([]*event, error) {
	built := make([]*event, len(evs))
	for i, ev := range evs {
		// Body validates the event too.
		body, err := ev.Body()
		if err != nil {
			return nil, err
		}
		built[i] = &event{
			id:     ev.ID,
			typ:    ev.Type,
			tenant: ev.Tenant,
			key:    ev.Key,
			// To the millisecond, as boltstore keeps it.
			time:  time.UnixMilli(ev.Time.UnixMilli()).UTC(),
			body:  body,
			trace: ev.Trace,

			tags:      events.SortedTags(ev.Tags),
			notBefore: events.Millisecond(ev.NotBefore),
			expiresAt: events.Millisecond(ev.ExpiresAt),
		}
	}
	return built, nil
}

// enqueue stores e with its deliveries, if any subscription wants it. Without a
// recipient it is not stored: nothing would remove it, as no delivery of it ends.
func (s *state) enqueue(e *event, now time.Time) {
	// The system's time, since callers ask for events by their own clocks.
	e.num, e.enqueued = s.nextNum(), s.wall()
	// In the order of the subscriptions, so the event's deliveries are in that order too: listings
	// rely on it.
	for _, sub := range s.order {
		if !sub.wants(e) {
			continue
		}
		// Every recipient has a record of its own from the beginning; boltstore writes it only
		// later.
		d := &delivery{sub: sub, event: e}
		sub.deliveries[e.num] = d
		sub.events = append(sub.events, e)
		e.deliveries = append(e.deliveries, d)
		// It is stored as canceled, so that a replay can find it when the subscription is back.
		if sub.Disabled() {
			d.canceled = sub.DisabledReason
			s.ended.conclude(d, store.Canceled, now)
			continue
		}
		if e.expired(now) {
			d.canceled = store.ReasonExpired
			s.ended.conclude(d, store.Canceled, now)
			continue
		}
		s.revive(d, now)
	}
	e.payload = nil // only the filters needed it
	// After the loop: until it is in the log it counts as new, see log.isNew.
	if len(e.deliveries) > 0 {
		s.log.add(e)
	} else {
		s.unwanted.Add(e.typ)
	}
}

// revive makes a delivery pending and due now. d is new or has ended.
func (s *state) revive(d *delivery, now time.Time) {
	d.leave() // the list of what has finished
	d.state, d.finished = store.Pending, time.Time{}
	d.setDue(now, d.atOnce, now)
	// The implicit list has no times.
	s.queue.add(d, s.log.isNew(d.event) && !d.waits, now)
}
