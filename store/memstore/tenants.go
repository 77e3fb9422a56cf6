package memstore

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
)

var _ store.TenantMover = (*Store)(nil)

// removeStep is how many subscriptions one RemoveTenant removes.
const removeStep = 100

// A tenant can be moved to another store while the host runs; package shards does it. As long as it
// is on its way, and after it has gone, it is closed here: what would change anything of it says
// ErrMoved, and the schedule claims nothing of it.

// isClosed reports whether nothing of a tenant may be changed here.
func (s *state) isClosed(tenant string) bool {
	return s.tenants[tenant].Phase != store.TenantSettled
}

// TenantStates implements [store.TenantMover].
func (s *Store) TenantStates(ctx context.Context) (map[string]store.TenantState, error) {
	if _, err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("memstore: tenant states: %w", err)
	}
	defer s.mu.Unlock()
	return maps.Clone(s.tenants), nil
}

// SetTenantState implements [store.TenantMover].
func (s *Store) SetTenantState(
	ctx context.Context, tenant string, state store.TenantState,
) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: set tenant state: %w", err)
	}
	defer s.end()
	// Only those that are not settled have an entry, as TenantStates returns them.
	if state.Phase == store.TenantSettled {
		delete(s.tenants, tenant)
	} else {
		s.tenants[tenant] = state
	}
	// The schedule knows of no tenants' states, only of subscriptions that may be claimed or not.
	for _, sub := range s.order {
		if sub.Tenant == tenant {
			s.queue.SetActive(sub.turns, s.active(sub), now.UnixNano())
		}
	}
	return nil
}

// ExportTenant implements [store.TenantMover]. A cursor is the number of the last event that was
// exported: events that come later have higher ones, and those that go leave a gap.
func (s *Store) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	if _, err := s.begin(ctx); err != nil {
		return part, fmt.Errorf("memstore: export tenant: %w", err)
	}
	defer s.mu.Unlock()
	if cursor == "" {
		for _, sub := range s.order {
			if sub.Tenant == tenant {
				part.Subscriptions = append(part.Subscriptions,
					store.TenantSubscription{Subscription: sub.Clone(), Health: *sub.turns.Health()})
			}
		}
		part.Next = "0"
		return part, nil
	}
	after, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return part, &events.InvalidError{Field: "cursor",
			Reason: "is none of this store; pass one that an earlier part has"}
	}
	// The tenant's own list, so the events of others cost nothing.
	own := s.log.byTenant[tenant]
	i, _ := slices.BinarySearchFunc(own, after+1, func(e *event, num uint64) int {
		return int(min(max(int64(e.num)-int64(num), -1), 1))
	})
	for _, e := range own[i:] {
		// It waits for Prune: nobody is left to get it, here or in the other store.
		if len(e.deliveries) == 0 {
			continue
		}
		if len(part.Events) == limit {
			part.Next = strconv.FormatUint(after, 10)
			return part, nil
		}
		part.Events = append(part.Events, e.export())
		after = e.num
	}
	return part, nil
}

// export returns what another store needs of e. It shares no memory with e, which goes on changing.
func (e *event) export() store.TenantEvent {
	out := store.TenantEvent{
		Event: events.Event{ID: e.id, Type: e.typ, Tenant: e.tenant, Key: e.key, Time: e.time,
			Trace: e.trace, Tags: slices.Clone(e.tags),
			NotBefore: e.notBefore, ExpiresAt: e.expiresAt},
		Body: slices.Clone(e.body), EnqueuedAt: e.enqueued,
	}
	for _, d := range e.deliveries {
		moved := store.TenantDelivery{
			SubscriptionID: d.sub.ID, State: d.state, Attempts: d.tried(), Retry: d.retry,
			Log: cloneAttempts(d.attempts), FinishedAt: d.finished, Reason: d.canceled,
			BodyState: d.bodyState, BodyOverride: slices.Clone(d.override),
		}
		// A first attempt has no time of its own, and stands by its event in the other store too.
		if d.state == store.Pending && (d.atOnce != 0 || len(d.attempts) > 0) {
			moved.DueAt = d.due
			moved.Asked = d.atOnce == order.Asked
			moved.Parked = d.atOnce != 0 && !moved.Asked
		}
		out.Deliveries = append(out.Deliveries, moved)
	}
	return out
}

// ImportTenant implements [store.TenantMover]. All or none: what could be refused is looked at
// before the first is stored.
func (s *Store) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: import tenant: %w", err)
	}
	defer s.end()
	for i := range part.Subscriptions {
		id := part.Subscriptions[i].ID
		if sub := s.subs[id]; sub != nil && sub.Tenant != tenant {
			return fmt.Errorf("memstore: import tenant: subscription %s: %w", id, store.ErrConflict)
		}
	}
	// What is here stays as it is: the part comes again after a crash of its mover.
	for i := range part.Subscriptions {
		if moved := &part.Subscriptions[i]; s.subs[moved.ID] == nil {
			s.addSubscription(moved.Subscription.Clone(), moved.Health)
		}
	}
	for i := range part.Events {
		moved := &part.Events[i]
		// One without deliveries was here before the tenant left, and only waits for Prune.
		if e := s.log.byName[name{tenant, moved.Event.ID}]; e == nil || len(e.deliveries) == 0 {
			s.importEvent(moved, now)
		}
	}
	return nil
}

// importEvent stores an event as it was in another store, with a new number. It is not stored if
// all of its subscriptions were deleted on the way: nothing would remove it.
func (s *state) importEvent(moved *store.TenantEvent, now time.Time) {
	ev := &moved.Event
	e := &event{
		num: s.nextNum(), id: ev.ID, typ: ev.Type, tenant: ev.Tenant, key: ev.Key, time: ev.Time,
		enqueued: moved.EnqueuedAt, body: slices.Clone(moved.Body), trace: ev.Trace,
		erased: len(moved.Body) == 0, // every other event has a body
		tags:   events.SortedTags(ev.Tags), notBefore: events.Millisecond(ev.NotBefore),
		expiresAt: events.Millisecond(ev.ExpiresAt),
	}
	if !slices.ContainsFunc(moved.Deliveries, func(d store.TenantDelivery) bool {
		return s.subs[d.SubscriptionID] != nil
	}) {
		return
	}
	s.log.add(e) // before queue.add: what is not new is queued up by where it stood
	for i := range moved.Deliveries {
		from := &moved.Deliveries[i]
		sub := s.subs[from.SubscriptionID]
		if sub == nil {
			continue
		}
		d := &delivery{
			sub: sub, event: e, state: from.State, attempts: cloneAttempts(from.Log),
			retry: from.Retry, finished: from.FinishedAt, canceled: from.Reason,
			bodyState: from.BodyState, override: slices.Clone(from.BodyOverride),
		}
		sub.deliveries[e.num] = d
		sub.events = append(sub.events, e)
		e.deliveries = append(e.deliveries, d)
		s.importDelivery(d, from, now)
	}
}

// importDelivery puts a delivery where its state says: among what is pending, or among what has
// finished, which is ordered by when it did.
func (s *state) importDelivery(d *delivery, from *store.TenantDelivery, now time.Time) {
	if d.state == store.Pending {
		d.due = from.DueAt
		switch {
		case from.Asked:
			d.atOnce = order.Asked
		case from.Parked:
			d.atOnce = order.Parked(d.tried())
		case from.DueAt.IsZero(): // a first attempt
			d.due = d.event.enqueued
		}
		if d.event.notBefore.After(now) {
			d.setDue(now, 0, now)
		}
		s.queue.add(d, s.log.isNew(d.event), now)
		return
	}
	s.ended.insert(d)
}

// insert puts a delivery that has finished into the list of its end, by when that was.
func (en *ended) insert(d *delivery) {
	// Prune looks at the front of each list alone, so a delivery that finished earlier must stand
	// before later ones. Most are the latest, so the search begins at the end.
	l := &en.failed
	if d.state == store.Delivered {
		l = &en.delivered
	}
	at := l.Back()
	for at != nil && at.Value.(*delivery).finished.After(d.finished) {
		at = at.Prev()
	}
	d.enterAfter(l, at)
}

// enterAfter puts d into a list of what has finished, after an element; in front if it is nil.
func (d *delivery) enterAfter(l *list.List, at *list.Element) {
	if d.list = l; at == nil {
		d.element = l.PushFront(d)
		return
	}
	d.element = l.InsertAfter(d, at)
}

// RemoveTenant implements [store.TenantMover]. It removes whole subscriptions, with all that they
// have, so a call takes as long as those have deliveries.
func (s *Store) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	now, err := s.begin(ctx)
	if err != nil {
		return false, fmt.Errorf("memstore: remove tenant: %w", err)
	}
	defer s.end()
	n := 0
	// A copy, as removing takes each out of the list.
	for _, sub := range slices.Clone(s.order) {
		if sub.Tenant != tenant {
			continue
		}
		if n++; n > removeStep {
			return true, nil
		}
		s.removeSubscription(sub, now)
	}
	// Now and not by Prune: the tenant may come back, and its events with it.
	s.log.prune(s.ended.unwanted)
	s.ended.unwanted = nil
	return false, nil
}
