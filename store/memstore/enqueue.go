package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/asking"
)

// Enqueue implements [store.Queue]. All or none: the IDs of all events are looked at before the
// first is stored.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := build(evs) // needs no lock
	if err != nil {
		return fmt.Errorf("memstore: enqueue: %w", err)
	}
	for round := 1; ; round++ {
		// Without the lock: a thousand filters would hold up all publishers.
		for _, e := range built {
			s.filters.Ask(e.tenant, e.typ, e.body, &e.filters)
			e.filters.Here = round == asking.MaxRounds
		}
		switch err := s.tryEnqueue(ctx, built); {
		case errors.Is(err, asking.ErrUnasked):
		case err != nil:
			return fmt.Errorf("memstore: enqueue: %w", err)
		default:
			for _, e := range built {
				s.filters.Learn(e.tenant, e.typ, &e.filters)
				e.filters = asking.Answers{} // which nobody else looks at
			}
			return nil
		}
	}
}

// tryEnqueue stores events, unless filters are to be asked first: then the error is
// [asking.ErrUnasked].
func (s *Store) tryEnqueue(ctx context.Context, evs []*event) error {
	now, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	// Before anything is stored, as with the IDs.
	for _, e := range evs {
		if s.isClosed(e.tenant) {
			return fmt.Errorf("event %s: %w", e.id, store.ErrMoved)
		}
	}
	added, err := s.log.unstored(evs)
	if err != nil {
		return err
	}
	recipients, err := s.recipients(added)
	if err != nil {
		return err
	}
	for i, e := range added {
		s.enqueue(e, recipients[i], now)
	}
	return nil
}

// recipients returns who gets each of the events.
func (s *state) recipients(evs []*event) (all [][]*subscription, err error) {
	all = make([][]*subscription, len(evs))
	for i, e := range evs {
		// The system's time, since callers ask for events by their own clocks.
		e.enqueued = s.wall()
		wanting := s.wanting(e)
		if !e.filters.Know(filters(wanting)) {
			err = asking.ErrUnasked // those of the others are in the same round
			continue
		}
		all[i] = slices.DeleteFunc(wanting, func(sub *subscription) bool {
			return sub.Filter != "" && !e.filters.Takes(sub.Filter, e.body)
		})
	}
	return all, err
}

// wanting returns the subscriptions that want an event but for their filters, in their order.
func (s *state) wanting(e *event) (subs []*subscription) {
	for _, sub := range s.order {
		if sub.wants(e) {
			subs = append(subs, sub)
		}
	}
	return subs
}

// filters returns the filters of subscriptions, each once.
func filters(of []*subscription) (texts []string) {
	for _, sub := range of {
		if sub.Filter != "" {
			texts = append(texts, sub.Filter)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
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

// enqueue stores e with a delivery for each recipient. Without a recipient it is not stored:
// nothing would remove it, as no delivery of it ends.
func (s *state) enqueue(e *event, recipients []*subscription, now time.Time) {
	e.num = s.nextNum()
	// In the order of the subscriptions, so the event's deliveries are in that order too: listings
	// rely on it.
	for _, sub := range recipients {
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
