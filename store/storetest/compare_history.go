package storetest

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func (tw *twins) requeue() {
	tw.stepAside()
	tw.requeueWith(tw.query())
}

// redeliver requeues one delivery, whatever became of it; mostly one that has ended.
func (tw *twins) redeliver() {
	tw.stepAside()
	q := store.DeliveryQuery{AnyTenant: true}
	if !tw.chance(4) {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	all := tw.model.deliveries(q)
	if len(all) == 0 {
		return
	}
	d := all[tw.rand.IntN(min(len(all), 20))]
	tw.requeueWith(store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: d.SubscriptionID, EventID: d.EventID, States: store.States(),
	})
}

func (tw *twins) requeueWith(q store.DeliveryQuery) {
	tw.note("requeue %+v", q)
	for _, d := range tw.model.deliveries(q) {
		tw.requeued[delivery{d.SubscriptionID, d.EventID}] = true
	}
	ours, held := tw.ours.requeueAll(q)
	model, want := tw.model.requeueAll(q)
	if !slices.Contains(q.States, store.Pending) { // whether one that is due already counts is the store's choice
		equal(tw.ours, "requeued", ours, model)
	}
	if !slices.Equal(held, want) {
		tw.ours.errorf("held of what was requeued: got %v, want %v", held, want)
	}
	if tw.chance(2) {
		tw.probeNow(want...)
	}
}

// probeNow ends the holds of subscriptions in both.
func (tw *twins) probeNow(ids ...string) {
	tw.note("probe %v now", ids)
	tw.ours.must("ProbeNow", tw.ours.store.ProbeNow(tw.ours.ctx, ids...))
	tw.model.must("ProbeNow", tw.model.store.ProbeNow(tw.model.ctx, ids...))
}

// query returns a random one.
func (tw *twins) query() store.DeliveryQuery {
	q := store.DeliveryQuery{Limit: 1 + tw.rand.IntN(5), AnyTenant: tw.chance(2), Tenant: tw.tenant()}
	if tw.chance(3) {
		q.SubscriptionID = tw.someSub()
	}
	if tw.chance(4) {
		q.EventType = tw.eventType()
	}
	if tw.chance(4) && len(tw.events) > 0 {
		q.EventID = one(tw, tw.events...).ID
	}
	q.States = one(tw, nil, nil, store.States(), []store.State{store.Dead}, []store.State{store.Pending, store.Canceled})
	return q
}

func (tw *twins) prune() {
	r := store.Retention{
		Delivered: one(tw, 0, time.Millisecond, time.Minute, time.Hour, 24*time.Hour, store.MaxDuration),
		Failed:    one(tw, 0, time.Millisecond, time.Minute, time.Hour, 24*time.Hour, store.MaxDuration),
	}
	for tw.nearRetention(r) {
		tw.ours.pass(2 * margin)
	}
	tw.stepAside()
	if tw.nearRetention(r) {
		return
	}
	tw.note("prune %+v", r)
	tw.ours.prune(r)
	tw.model.prune(r)
	tw.orphans = false
}

// nearRetention reports whether it depends on the side whether something is past its retention.
func (tw *twins) nearRetention(r store.Retention) bool {
	return slices.ContainsFunc(tw.model.everything(), func(d store.Delivery) bool {
		age := time.Since(d.FinishedAt)
		near := func(keep time.Duration) bool { return age > keep-margin && age < keep+margin }
		return near(r.Delivered) && r.Delivered > 0 || near(r.Failed) && r.Failed > 0
	})
}

// erase erases an event, or those of a tenant, in both.
func (tw *twins) erase() {
	q := store.EraseQuery{Tenant: tw.tenant(), Limit: 1 + tw.rand.IntN(5)}
	if len(tw.events) > 0 && !tw.chance(6) {
		ev := tw.someEvent()
		if !tw.referred(ev.ID) {
			return // whether it is still stored is the store's choice
		}
		q.EventID = ev.ID
		tw.erased = append(tw.erased, ev)
	}
	tw.note("erase %+v", q)
	ours, model := tw.ours.erase(q), tw.model.erase(q)
	if q.EventID != "" || !tw.orphans {
		equal(tw.ours, "erased", ours, model)
	}
}
