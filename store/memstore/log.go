package memstore

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/asking"
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

	tags                 []string // sorted; never changed in place
	notBefore, expiresAt time.Time
	expiringAt           int // its index among those that expire, from 1; 0: it is not among them

	deliveries []*delivery // in the order of their subscriptions

	filters asking.Answers // only while it is enqueued
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
	byName   map[name]*event     // also erased ones: their IDs stay taken
	events   []*event            // in the order of Enqueue
	expiring expiring            // those that expire, until they have
	byTenant map[string][]*event // the same, by tenant
}

func newLog() log {
	return log{byName: make(map[name]*event), byTenant: make(map[string][]*event)}
}

// unstored returns those of the events that are neither stored nor given twice. It returns
// [store.ErrConflict] if one has the ID of another of its tenant. A host that tries a Publish again
// after an error gives events that are stored already, and gets no error for it.
func (l *log) unstored(evs []*event) ([]*event, error) {
	var unstored []*event
	given := make(map[name]*event, len(evs))
	for _, e := range evs {
		known := l.byName[e.name()]
		// Without a delivery it only waits for Prune: its subscriptions are gone, or its tenant was
		// in another store, which may have pruned the event before the tenant came back. What was
		// erased must not come back all the same.
		if known != nil && len(known.deliveries) == 0 && !known.erased {
			known = nil
		}
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
	l.expiring.add(e)
	l.byTenant[e.tenant] = append(l.byTenant[e.tenant], e)
}

// isNew reports whether e is being enqueued, and not stored yet. A number tells it, as the log is
// in order.
func (l *log) isNew(e *event) bool {
	return len(l.events) == 0 || l.events[len(l.events)-1].num < e.num
}

// prune removes those of some events that have no delivery any more. An event may be given more
// than once.
func (l *log) prune(events []*event) {
	first := make(map[string]*event) // of each tenant, the oldest that goes
	for _, e := range events {
		if len(e.deliveries) > 0 {
			continue
		}
		l.expiring.remove(e)
		if l.byName[e.name()] == e { // or else the ID is another's by now
			delete(l.byName, e.name())
		}
		if f := first[e.tenant]; f == nil || e.num < f.num {
			first[e.tenant] = e
		}
	}
	unwanted := func(e *event) bool { return len(e.deliveries) == 0 }
	var oldest *event
	// Each list is cut behind the first that goes, so a Prune of old events does not go through all
	// that are kept.
	for tenant, e := range first {
		if oldest == nil || e.num < oldest.num {
			oldest = e
		}
		l.byTenant[tenant] = without(l.byTenant[tenant], e, unwanted)
		// Tenants come and go, and the map must not keep them all.
		if len(l.byTenant[tenant]) == 0 {
			delete(l.byTenant, tenant)
		}
	}
	if oldest != nil {
		l.events = without(l.events, oldest, unwanted)
	}
}

// timeNear returns when the event of a number was enqueued, or if it is gone, the one before it, or
// else the next; zero if there is none.
func (l *log) timeNear(num uint64) time.Time {
	i, found := slices.BinarySearchFunc(l.events, num, func(e *event, num uint64) int {
		return cmp.Compare(e.num, num)
	})
	if !found {
		i = max(i-1, 0)
	}
	if i >= len(l.events) {
		return time.Time{}
	}
	return l.events[i].enqueued
}

// without returns a list, which is in order, without those that are gone, the first of which is
// known. What goes is old mostly, and what comes before the first is left alone.
func without(events []*event, first *event, gone func(*event) bool) []*event {
	i, _ := slices.BinarySearchFunc(events, first, compareEvents)
	return events[:i+len(slices.DeleteFunc(events[i:], gone))]
}

// compareEvents orders events as Enqueue did.
func compareEvents(a, b *event) int { return cmp.Compare(a.num, b.num) }
