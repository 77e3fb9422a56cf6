package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// newEvent is an event to be stored.
type newEvent struct {
	events.Event // without its payload
	body         []byte
}

// build validates the events, makes their bodies and drops those given twice.
func build(evs []events.Event) (built []newEvent, size int, err error) {
	given := make(map[string]int, len(evs))
	built = make([]newEvent, 0, len(evs))
	for _, ev := range evs {
		body, err := ev.Body()
		if err != nil {
			return nil, 0, err
		}
		ev.Payload, ev.Time = nil, time.UnixMilli(ev.Time.UnixMilli()).UTC()
		e := newEvent{ev, body}
		if i, twice := given[ev.ID]; twice {
			if !built[i].same(&e) {
				return nil, 0, conflict(ev.ID)
			}
			continue
		}
		given[ev.ID] = len(built)
		built = append(built, e)
		size += len(body)
	}
	return built, size, nil
}

func conflict(id string) error { return fmt.Errorf("event %s: %w", id, store.ErrConflict) }

// same reports whether e and o have the same content, of which the trace is no part.
func (e *newEvent) same(o *newEvent) bool {
	return e.Type == o.Type && e.Tenant == o.Tenant && e.Key == o.Key && e.Time.Equal(o.Time) &&
		string(e.body) == string(o.body)
}

// enqueueArgs are the arguments of the enqueue statement.
func enqueueArgs(evs []newEvent) []any {
	n := len(evs)
	ids, types, tenants, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	times, bodies, traces, kinds := make([]time.Time, n), make([][]byte, n), make([]string, n), make([]int32, n)
	known := make(map[kind]int32)
	var patternKinds []int32
	var patternTenants, patterns []string
	for i := range evs {
		e := &evs[i]
		ids[i], types[i], tenants[i], keys[i] = e.ID, e.Type, e.Tenant, e.Key
		times[i], bodies[i], traces[i] = e.Time, e.body, e.Trace
		k, ok := known[kind{e.Tenant, e.Type}]
		if !ok {
			k = int32(len(known))
			known[kind{e.Tenant, e.Type}] = k
			for _, p := range patternsOf(e.Type) {
				patternKinds, patternTenants, patterns = append(patternKinds, k), append(patternTenants, e.Tenant), append(patterns, p)
			}
		}
		kinds[i] = k
	}
	return []any{ids, types, tenants, keys, times, bodies, traces, kinds, patternKinds, patternTenants, patterns}
}

// kind is what decides who wants an event, but for the time.
type kind struct{ tenant, eventType string }

// patternsOf returns what is in the table of wants of those who want events of the type.
func patternsOf(eventType string) []string {
	patterns := events.Patterns(eventType)
	if !events.Operational(eventType) {
		patterns = append(patterns, "") // it stands for every other type
	}
	return patterns
}

// enqueued reads what the enqueue statement says.
func enqueued(row pgx.Row) error {
	var ok bool
	var other *string
	if err := row.Scan(&ok, &other); err != nil {
		return err
	}
	if !ok {
		return conflict(*other)
	}
	return nil
}

// Enqueue implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, size, err := build(evs)
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil && len(built) > 0 {
		_, err = s.enqueues.do(ctx, built, size)
	}
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}

// enqueueJoined stores what several callers want to be stored. When together they fail other than by trouble of the
// database, each is done alone and gets its own error.
func (s *Store) enqueueJoined(ctx context.Context, calls []*call[newEvent, struct{}]) {
	if len(calls) > 1 {
		var all []newEvent
		for _, c := range calls {
			all = append(all, c.items...)
		}
		if all, ok := distinct(all); ok {
			err := s.enqueue(ctx, all)
			if err == nil {
				return
			}
			if state(err) == "" && !errors.Is(err, store.ErrConflict) {
				for _, c := range calls {
					c.err = err
				}
				return
			}
		}
	}
	for _, c := range calls {
		c.err = s.enqueue(ctx, c.items)
	}
}

// distinct drops events that are the same as one before. It is false when one has the ID of another.
func distinct(evs []newEvent) (out []newEvent, ok bool) {
	seen := make(map[string]int, len(evs))
	for i := range evs {
		if j, twice := seen[evs[i].ID]; twice {
			if !out[j].same(&evs[i]) {
				return nil, false
			}
			continue
		}
		seen[evs[i].ID] = len(out)
		out = append(out, evs[i])
	}
	return out, true
}

// tries is how often a transaction is tried that another one got in the way of.
const tries = 5

// enqueue stores events in a transaction of its own.
func (s *Store) enqueue(ctx context.Context, evs []newEvent) (err error) {
	args := enqueueArgs(evs)
	for range tries {
		var result error
		err = s.write(ctx, func(b *pgx.Batch) {
			b.Queue(enqueueSettings)
			b.Queue(s.sql.enqueue, args...).QueryRow(func(row pgx.Row) error {
				result = enqueued(row)
				return nil
			})
		})
		if err == nil {
			err = result
		}
		if err == nil {
			s.waker.wake()
			return nil
		}
		if !transient(err) {
			return told("event", err)
		}
	}
	return err
}
