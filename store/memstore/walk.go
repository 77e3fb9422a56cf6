package memstore

import (
	"cmp"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// deliveryWalk returns a walk of the deliveries that q selects. It goes through the events of an
// index: of one subscription, of one tenant, or the one event that is asked for. What the rest of
// the query does not select is passed over, within the budget. The lock must be held while it runs.
func (s *state) deliveryWalk(q *store.DeliveryQuery) page.Walk[*delivery] {
	events, sub := s.log.events, s.subs[q.SubscriptionID]
	// The narrowest index of those that select.
	switch {
	case q.EventID != "":
		events = nil
		tenant := q.Tenant
		if q.AnyTenant && sub != nil { // Validate has seen that a subscription is named
			tenant = sub.Tenant
		}
		if e := s.log.byName[name{tenant, q.EventID}]; e != nil {
			events = []*event{e}
		}
	case q.SubscriptionID != "" && sub == nil: // the name is unknown, which is no error
		events = nil
	case q.SubscriptionID != "":
		events = sub.events
	case !q.AnyTenant:
		events = s.log.byTenant[q.Tenant]
	}
	return func(
		from page.Cursor, budget int, visit func(page.Position, **delivery) bool,
	) (gaveUp *page.Position, err error) {
		w := walk{query: q, sub: sub, from: from, budget: budget, visit: visit}
		// The listing begins with the newest event, and the log with the oldest.
		i, found := slices.BinarySearchFunc(events, from.At.Seq, func(e *event, num uint64) int {
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
		for ; i >= 0 && i < len(events); i += step {
			if !w.event(events[i]) {
				return w.gaveUp, nil
			}
		}
		return nil, nil
	}
}

// walk is one walk under way.
type walk struct {
	query  *store.DeliveryQuery
	sub    *subscription // if one is asked for
	from   page.Cursor   // what is left of it
	budget int           // how many more may be passed over
	visit  func(page.Position, **delivery) bool
	gaveUp *page.Position
}

// event visits the deliveries of e that the query selects and that are left, in the order of the
// walk. It is false if the walk has ended, because visit wants no more or the budget is used up.
func (w *walk) event(e *event) bool {
	if w.sub != nil { // one look, however many recipients the event has
		d := w.sub.deliveries[e.num]
		return d == nil || w.delivery(d)
	}
	for i := range e.deliveries {
		// Back means from the end of the listing towards its start, so recipients are in falling
		// order too.
		if w.from.Back {
			i = len(e.deliveries) - 1 - i
		}
		if !w.delivery(e.deliveries[i]) {
			return false
		}
	}
	return true
}

// delivery visits one delivery, if the query selects it; otherwise it costs one of the budget. It
// is false if the walk has ended.
func (w *walk) delivery(d *delivery) bool {
	at := d.listPosition()
	// It is on the other side of the boundary: of its event, a part was on the page before.
	if !w.from.Reaches(at) {
		return true
	}
	switch r := d.record(); {
	case w.query.Tagged(d.event.tags) && w.query.Matches(&r):
		if !w.visit(at, &d) {
			return false
		}
	// Only where one more would have to be passed over: a walk that has found all says so, and does
	// not give up at its end.
	case w.budget == 0:
		w.gaveUp = &w.from.At
		return false
	default:
		w.budget--
	}
	// Kept up for gaveUp: a caller that goes on from there comes to nothing twice.
	w.from = w.from.Pass(at)
	return true
}
