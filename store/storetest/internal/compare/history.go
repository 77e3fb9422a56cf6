package compare

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func (s *sequence) requeue() {
	s.stepAside()
	q := s.query()
	if s.chance(2) { // these match so few that what is wrong with Requeue would hardly ever show
		q.Key, q.ErrorClass, q.LastStatus = "", "", store.StatusRange{}
	}
	s.requeueWith(q)
}

// redeliver requeues one delivery, in any state, mostly a finished one.
func (s *sequence) redeliver() {
	s.stepAside()
	q := store.DeliveryQuery{AnyTenant: true}
	if !s.chance(4) {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	all := s.model.Deliveries(q)
	if len(all) == 0 {
		return
	}
	d := all[s.rand.IntN(min(len(all), 20))]
	s.requeueWith(store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: d.SubscriptionID, EventID: d.EventID,
		States: store.States(),
	})
}

func (s *sequence) requeueWith(q store.DeliveryQuery) {
	s.note("requeue %+v", q)
	for _, d := range s.model.Deliveries(q) {
		s.requeued[delivery{d.SubscriptionID, d.EventID}] = true
	}
	ours, held := s.ours.RequeueAll(q)
	model, want := s.model.RequeueAll(q)
	// whether one that is due already counts is the store's choice
	if !slices.Contains(q.States, store.Pending) {
		check.Equal(s.ours, "requeued", ours, model)
	}
	if !slices.Equal(held, want) {
		s.ours.Errorf("held of what was requeued: got %v, want %v", held, want)
	}
	if s.chance(2) {
		s.probeNow(want...)
	}
}

// probeNow ends the holds of subscriptions in both.
func (mp *modelPair) probeNow(ids ...string) {
	mp.note("probe %v now", ids)
	mp.ours.Must("ProbeNow", mp.ours.Store.ProbeNow(mp.ours.Ctx(), ids...))
	mp.model.Must("ProbeNow", mp.model.Store.ProbeNow(mp.model.Ctx(), ids...))
}

// query returns a random one.
func (s *sequence) query() store.DeliveryQuery {
	q := store.DeliveryQuery{Limit: 1 + s.rand.IntN(5), AnyTenant: s.chance(2), Tenant: s.tenant()}
	if s.chance(3) {
		q.SubscriptionID = s.someSub()
	}
	if s.chance(4) {
		q.EventType = s.eventType()
	}
	if s.chance(4) && len(s.events) > 0 {
		q.EventID = one(s.rand, s.events...).ID
		q.AnyTenant = q.AnyTenant && q.SubscriptionID != "" // or else it is not valid
	}
	q.States = one(s.rand, nil, nil, store.States(), []store.State{store.Dead},
		[]store.State{store.Pending}, []store.State{store.Delivered}, []store.State{store.Canceled},
		[]store.State{store.Pending, store.Canceled}, []store.State{store.Delivered, store.Dead})
	if s.chance(6) && len(s.events) > 0 {
		q.Key = one(s.rand, s.events...).Key
	}
	if s.chance(6) {
		q.Tag = one(s.rand, "a", "b", "z")
	}
	if s.chance(6) {
		q.ErrorClass = one(s.rand, "http_status", "unsubscribed", "erased", "http")
	}
	if s.chance(6) {
		q.LastStatus = one(s.rand, store.StatusRange{From: 500, To: 599},
			store.StatusRange{From: 200, To: 200}, store.StatusRange{From: 1, To: store.MaxStatus})
	}
	if s.chance(4) {
		q.Since = s.timeBetween()
	}
	if s.chance(4) {
		q.Until = s.timeBetween()
	}
	return q
}

// timeBetween returns a time between deliveries, from which none is near enough that it depends on
// the side; zero if there is none.
func (mp *modelPair) timeBetween() time.Time {
	all := mp.model.Everything()
	if mp.realTime || len(all) == 0 {
		return time.Time{}
	}
	edge := one(mp.rand, all...).CreatedAt.Add(2 * margin)
	for i := range all {
		if d := all[i].CreatedAt.Sub(edge); d > -margin && d < margin {
			return time.Time{}
		}
	}
	return edge
}

func (s *sequence) prune() {
	r := store.Retention{
		Delivered: one(s.rand, 0, time.Millisecond, time.Minute, time.Hour, 24*time.Hour,
			store.MaxDuration),
		Failed: one(s.rand, 0, time.Millisecond, time.Minute, time.Hour, 24*time.Hour,
			store.MaxDuration),
	}
	for s.nearRetention(r) {
		s.ours.Pass(2 * margin)
	}
	s.stepAside()
	if s.nearRetention(r) {
		return
	}
	s.note("prune %+v", r)
	s.ours.Prune(r)
	s.model.Prune(r)
	s.orphans = false
}

// nearRetention reports whether it depends on the side whether something is past its retention.
func (mp *modelPair) nearRetention(r store.Retention) bool {
	return slices.ContainsFunc(mp.model.Everything(), func(d store.Delivery) bool {
		age := time.Since(d.FinishedAt)
		near := func(keep time.Duration) bool { return age > keep-margin && age < keep+margin }
		return near(r.Delivered) && r.Delivered > 0 || near(r.Failed) && r.Failed > 0
	})
}

// erase erases an event, or those of a tenant, in both.
func (s *sequence) erase() {
	q := store.EraseQuery{Tenant: s.tenant(), Limit: 1 + s.rand.IntN(5)}
	if len(s.events) > 0 && !s.chance(6) {
		ev := s.someEvent()
		if !s.referred(ev) {
			return // whether it is still stored is the store's choice
		}
		q.Tenant, q.EventID = ev.Tenant, ev.ID
		s.erased = append(s.erased, ev)
	}
	s.note("erase %+v", q)
	s.erases = true
	ours, model := s.ours.Erase(q), s.model.Erase(q)
	if q.EventID != "" || !s.orphans {
		check.Equal(s.ours, "erased", ours, model)
	}
}
