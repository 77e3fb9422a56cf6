package memstore

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// event is a stored event with its deliveries. Its fields change only when a delivery goes, and in
// erase. It is guarded by the store's lock, but for body, which is never changed in place.
type event struct {
	num      uint64 // its place in the order of Enqueue
	id       string // the caller's
	typ      string // for which subscriptions it is
	tenant   string
	key      string    // the ordering key, empty if it has none
	time     time.Time // to the millisecond
	enqueued time.Time
	body     []byte // as it is sent; nil once erased
	trace    string // given to each claim; empty once erased
	erased   bool

	deliveries []*delivery // in the order of their subscriptions
}

// same reports whether e, which is stored, and o of the same name have the same content, as far as
// it is known. Type and time are in the body. Of an erased event only the name is left to compare,
// so every event with that name counts as the same: the erased content must not come back.
func (e *event) same(o *event) bool {
	return e.erased || e.key == o.key && string(e.body) == string(o.body)
}

// listPosition returns where e stands in a listing of events, oldest first.
func (e *event) listPosition() page.Position { return page.Position{Num: e.num} }

// name is what an event is found by: an ID is its tenant's.
type name struct{ tenant, id string }

func (e *event) name() name { return name{e.tenant, e.id} }

// log is what events are stored. Events that nobody was subscribed to are not in it.
type log struct {
	byName map[name]*event // also erased ones: their IDs stay taken
	events []*event        // in the order of Enqueue
}

// unstored returns those of the events that are neither stored nor given twice. It returns
// [store.ErrConflict] if one has the ID of another of its tenant. A host that tries a Publish again
// after an error gives events that are stored already, and gets no error for it.
func (l *log) unstored(evs []*event) ([]*event, error) {
	var unstored []*event
	given := make(map[name]*event, len(evs))
	for _, e := range evs {
		known := l.byName[e.name()]
		// One that is given twice is compared with the first of the two.
		if known == nil {
			known = given[e.name()]
		}
		switch {
		case known == nil:
			given[e.name()] = e
			unstored = append(unstored, e)
		case !known.same(e):
			return nil, fmt.Errorf("event %s: %w", e.id, store.ErrConflict)
		}
	}
	return unstored, nil
}

// add stores an event. Its number is above those of all before it, so the list stays sorted and can
// be searched.
func (l *log) add(e *event) {
	l.byName[e.name()] = e
	l.events = append(l.events, e)
}

// isNew reports whether e is being enqueued, and not stored yet. A number tells it, as the log is
// in order.
func (l *log) isNew(e *event) bool {
	return len(l.events) == 0 || l.events[len(l.events)-1].num < e.num
}

// prune removes those of some events that have no delivery any more. An event may be given more
// than once.
func (l *log) prune(events []*event) {
	var first *event // the oldest that goes
	for _, e := range events {
		if len(e.deliveries) > 0 {
			continue
		}
		if l.byName[e.name()] == e { // or else it has come back with its tenant
			delete(l.byName, e.name())
		}
		if first == nil || e.num < first.num {
			first = e
		}
	}
	if first == nil {
		return
	}
	// What goes is old mostly, and what comes before the first is left alone.
	i, _ := slices.BinarySearchFunc(l.events, first, compareEvents)
	rest := slices.DeleteFunc(l.events[i:], func(e *event) bool { return len(e.deliveries) == 0 })
	l.events = l.events[:i+len(rest)]
}

// deliveryWalk returns a walk of the deliveries that q selects. The lock must be held while it
// runs.
func (l *log) deliveryWalk(q *store.DeliveryQuery) page.Walk[*delivery] {
	return func(from page.Cursor, visit func(page.Position, **delivery) bool) error {
		// The listing begins with the newest event, and the log with the oldest.
		i, found := slices.BinarySearchFunc(l.events, from.At.Seq, func(e *event, num uint64) int {
			return cmp.Compare(e.num, num)
		})
		step := 1
		if !from.Back {
			step = -1
			// Without the event of the boundary, i is the next above it, and the way goes down.
			if !found {
				i--
			}
		}
		// The event of the boundary is visited too, as its recipients may lie on both sides.
		for ; i >= 0 && i < len(l.events); i += step {
			if !l.events[i].visit(q, from, visit) {
				return nil
			}
		}
		return nil
	}
}

// visit visits the deliveries of e that q selects and that the cursor reaches. It is false if the
// walk has ended.
func (e *event) visit(
	q *store.DeliveryQuery, from page.Cursor, visit func(page.Position, **delivery) bool,
) bool {
	for i := range e.deliveries {
		// Back means from the end of the listing towards its start, so recipients are in falling
		// order too.
		if from.Back {
			i = len(e.deliveries) - 1 - i
		}
		d := e.deliveries[i]
		if !from.Reaches(d.listPosition()) {
			continue
		}
		if r := d.record(); q.Matches(&r) && !visit(d.listPosition(), &d) {
			return false
		}
	}
	return true
}

// compareEvents orders events as Enqueue did.
func compareEvents(a, b *event) int { return cmp.Compare(a.num, b.num) }
