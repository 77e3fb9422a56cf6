package publish

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

// Event is an event to be stored. Its body is made once, by Build, and is what is signed and sent.
type Event struct {
	events.Event // without its payload
	body         []byte
	said         said
}

// Build validates events, makes their bodies, and drops those that are given twice. It returns an
// *events.InvalidError, or store.ErrConflict if two of a tenant have the same ID and other content.
// It needs no database, so an invalid event costs no round trip.
func Build(evs []events.Event) ([]Event, error) {
	built := make([]Event, 0, len(evs))
	for _, ev := range evs {
		body, err := ev.Body()
		if err != nil {
			return nil, err
		}
		// The payload is in the body now. The time is compared with what is stored, to the
		// millisecond.
		ev.Payload, ev.Time = nil, time.UnixMilli(ev.Time.UnixMilli()).UTC()
		ev.Tags = events.SortedTags(ev.Tags) // of its own: the event may be stored after the call
		built = append(built, Event{Event: ev, body: body})
	}
	built, conflicting := distinct(built)
	if conflicting != "" {
		return nil, conflict(conflicting)
	}
	return built, nil
}

func conflict(id string) error { return fmt.Errorf("event %s: %w", id, store.ErrConflict) }

// distinct drops events that are the same as one before. If one has the ID of another of its tenant
// and other content, it returns that ID. It is called on each call's events, and on those of all
// calls that share a transaction: the statement expects each ID of a tenant once, or the index
// would fail the whole of it.
func distinct(evs []Event) (out []Event, conflicting string) {
	type name struct{ tenant, id string } // an ID is its tenant's
	seen := make(map[name]int, len(evs))
	out = evs[:0:0]
	for i := range evs {
		n := name{evs[i].Tenant, evs[i].ID}
		if j, twice := seen[n]; twice {
			if !out[j].isSame(&evs[i]) {
				return nil, evs[i].ID
			}
			continue
		}
		seen[n] = len(out)
		out = append(out, evs[i])
	}
	return out, ""
}

// isSame reports whether two events of one tenant have the same content. The trace is no part of
// it. The statement compares the same of what is stored (see known in enqueue.sql).
func (e *Event) isSame(o *Event) bool {
	return e.Type == o.Type && e.Key == o.Key && e.Time.Equal(o.Time) &&
		string(e.body) == string(o.body)
}

// names returns what events are found by: each an element of both.
func names(evs []Event) (tenants, ids []string) {
	tenants, ids = make([]string, len(evs)), make([]string, len(evs))
	for i := range evs {
		tenants[i], ids[i] = evs[i].Tenant, evs[i].ID
	}
	return tenants, ids
}

// size returns how many bytes the bodies of events have. What surrounds a body is small and
// bounded.
func size(evs []Event) (n int) {
	for i := range evs {
		n += len(evs[i].body)
	}
	return n
}

// Args returns the arguments of the enqueue statement but the last three. The three are who
// publishes, the table, and whether events may exist: they differ by caller and by try.
func Args(evs []Event) []any {
	n := len(evs)
	ids, types, tenants := make([]string, n), make([]string, n), make([]string, n)
	keys, traces, times := make([]string, n), make([]string, n), make([]time.Time, n)
	bodies, kinds := make([][]byte, n), make([]int32, n)
	numbers := number(evs)
	patternKinds, patternTenants, patterns := patternRows(numbers)
	var few record.EventColumns
	for i := range evs {
		e := &evs[i]
		few.Add(&e.Event)
		ids[i], types[i], tenants[i], keys[i] = e.ID, e.Type, e.Tenant, e.Key
		times[i], bodies[i], traces[i] = e.Time, e.body, e.Trace
		kinds[i] = numbers[kind{e.Tenant, e.Type}]
	}
	return append([]any{
		ids, types, tenants, keys, times, bodies, traces, kinds, patternKinds, patternTenants, patterns,
	}, few.Args()...)
}

// kind is what decides who gets an event, but for the time. A batch has few kinds, and the
// statement looks for recipients once for each. Without kinds a batch of a thousand events would
// look for the same recipients a thousand times.
type kind struct{ tenant, eventType string }

// number gives the kinds of the events numbers.
func number(evs []Event) map[kind]int32 {
	numbers := make(map[kind]int32)
	for i := range evs {
		k := kind{evs[i].Tenant, evs[i].Type}
		if _, there := numbers[k]; !there {
			numbers[k] = int32(len(numbers))
		}
	}
	return numbers
}

// patternRows returns the patterns that match events of the kinds, one a row: the table of patterns
// is searched by its key then, and not by matching.
func patternRows(numbers map[kind]int32) (kinds []int32, tenants, patterns []string) {
	for k, n := range numbers {
		for _, p := range patternsOf(k.eventType) {
			kinds, tenants, patterns = append(kinds, n), append(tenants, k.tenant), append(patterns, p)
		}
	}
	return kinds, tenants, patterns
}

// patternsOf returns the patterns that match an event type, as the table of patterns has them.
func patternsOf(eventType string) []string {
	patterns := events.Patterns(eventType)
	if !events.Operational(eventType) {
		patterns = append(patterns, "") // a subscription without patterns: every other type
	}
	return patterns
}
