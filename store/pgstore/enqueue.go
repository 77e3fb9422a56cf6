package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// enqueueArgs are the arguments of the enqueue statement but its last two.
func enqueueArgs(evs []newEvent) []any {
	n := len(evs)
	ids, types, tenants, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	times, bodies, traces, kinds := make([]time.Time, n), make([][]byte, n), make([]string, n), make([]int32, n)
	known := kindsOf(evs)
	var patternKinds []int32
	var patternTenants, patterns []string
	for k, number := range known {
		for _, p := range patternsOf(k.eventType) {
			patternKinds, patternTenants, patterns = append(patternKinds, number), append(patternTenants, k.tenant), append(patterns, p)
		}
	}
	for i := range evs {
		e := &evs[i]
		ids[i], types[i], tenants[i], keys[i] = e.ID, e.Type, e.Tenant, e.Key
		times[i], bodies[i], traces[i] = e.Time, e.body, e.Trace
		kinds[i] = known[kind{e.Tenant, e.Type}]
	}
	return []any{ids, types, tenants, keys, times, bodies, traces, kinds, patternKinds, patternTenants, patterns}
}

// kind is what decides who wants an event, but for the time.
type kind struct{ tenant, eventType string }

// kindsOf numbers the kinds of the events.
func kindsOf(evs []newEvent) map[kind]int32 {
	numbers := make(map[kind]int32)
	for i := range evs {
		k := kind{evs[i].Tenant, evs[i].Type}
		if _, there := numbers[k]; !there {
			numbers[k] = int32(len(numbers))
		}
	}
	return numbers
}

// patternsOf returns what is in the table of wants of those who want events of the type.
func patternsOf(eventType string) []string {
	patterns := events.Patterns(eventType)
	if !events.Operational(eventType) {
		patterns = append(patterns, "") // it stands for every other type
	}
	return patterns
}

// tooWide says that the events are for so many subscriptions that nothing was done.
type tooWide struct{ takers map[kind]int } // how many, by kind

func (e *tooWide) Error() string { return "there are more deliveries than go into one statement" }

// cost is how many deliveries there are of the events.
func (e *tooWide) cost(evs []newEvent) (n int) {
	for i := range evs {
		n += e.takers[kind{evs[i].Tenant, evs[i].Type}]
	}
	return n
}

// enqueued reads what the enqueue statement says.
func enqueued(row scanner, evs []newEvent) error {
	var ok bool
	var other, widths *string
	if err := row.Scan(&ok, &other, &widths); err != nil {
		return err
	}
	if !ok {
		return conflict(*other)
	}
	if widths == nil {
		return nil
	}
	byNumber := make(map[int32]int)
	for line := range strings.Lines(*widths) {
		var number int32
		var n int
		if _, err := fmt.Sscan(line, &number, &n); err != nil {
			return err
		}
		byNumber[number] = n
	}
	wide := &tooWide{make(map[kind]int)}
	for k, number := range kindsOf(evs) {
		wide.takers[k] = byNumber[number]
	}
	return wide
}

// Enqueue implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction. A call whose events
// are for many subscriptions has one of its own, in several statements, and makes no other wait. It
// takes 30 s at most, and as much again for each 20,000 deliveries.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, size, err := build(evs)
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil && len(built) > 0 {
		_, err = s.enqueues.do(ctx, built, size)
	}
	if errors.Is(err, errAlone) {
		err = s.enqueueAlone(ctx, built)
	}
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}
