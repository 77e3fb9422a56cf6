package storetest

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func (tw *twins) requeue() {
	tw.stepAside()
	q := tw.query()
	tw.note("requeue %+v", q)
	for _, d := range tw.model.deliveries(q) {
		tw.requeued[delivery{d.SubscriptionID, d.EventID}] = true
	}
	ours, model := tw.ours.requeue(q), tw.model.requeue(q)
	if !slices.Contains(q.States, store.Pending) { // whether one that is due already counts is the store's choice
		equal(tw.ours, "requeued", ours, model)
	}
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
	for _, d := range tw.model.everything() {
		for _, keep := range []time.Duration{r.Delivered, r.Failed} {
			if age := time.Since(d.FinishedAt); age > keep-margin && age < keep+margin {
				return
			}
		}
	}
	tw.note("prune %+v", r)
	tw.ours.prune(r)
	tw.model.prune(r)
	tw.orphans = false
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
