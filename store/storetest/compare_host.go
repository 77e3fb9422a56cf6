package storetest

import (
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// longestTx is how many steps a transaction of the host's stays open at most.
const longestTx = 3

// host begins a transaction of the host's and enqueues in it, or ends the one that is open. The model gets the events when
// it commits. Where other calls that write would wait for it, it is ended in the same step.
func (tw *twins) host() {
	if tw.tx != nil {
		tw.endHost(!tw.chance(4))
		return
	}
	tw.stepAside()
	tw.txEvents, tw.txStep = nil, tw.step
	for range 1 + tw.rand.IntN(3) {
		ev := tw.ours.event(tw.eventType())
		// A key of its own: whether what commits late goes before what was enqueued meanwhile is the store's choice.
		ev.Tenant, ev.Key = tw.tenant(), one(tw, "", fmt.Sprint("host ", tw.step))
		tw.txEvents = append(tw.txEvents, ev)
		tw.note("in a transaction of the host's, enqueue %s %s, tenant %q, key %q", ev.ID, ev.Type, ev.Tenant, ev.Key)
	}
	tw.tx = tw.ours.enqueued(tw.txEvents...)
	if tw.ours.hosted.exclusive {
		tw.lookAtSubscriptions()
		tw.lookAtStats("")
		tw.lookAtDeliveries(store.DeliveryQuery{AnyTenant: true})
		tw.endHost(!tw.chance(4))
	}
}

// endHost ends the transaction.
func (tw *twins) endHost(commit bool) {
	tx, evs := tw.tx, tw.txEvents
	tw.tx, tw.txEvents = nil, nil
	if !commit {
		tw.note("the transaction is rolled back")
		tw.ours.must("Rollback", tx.Rollback(tw.ours.ctx))
		return
	}
	tw.note("the transaction is committed")
	tw.ours.must("Commit", tx.Commit(tw.ours.ctx))
	tw.model.enqueue(evs...)
	tw.events = append(tw.events, evs...)
	if tw.ours.hosted.exclusive {
		return
	}
	// Their place in the order is the store's choice: that of when they were enqueued, or of when that was committed.
	tw.disordered = true
	for _, ev := range evs {
		for _, d := range tw.model.deliveries(store.DeliveryQuery{AnyTenant: true, EventID: ev.ID}) {
			tw.requeued[delivery{d.SubscriptionID, d.EventID}] = true
		}
	}
}

// overtake leads to where deliveries of one Key are leased at the same time, with others behind them, for which an earlier
// one must be requeued while a later one is leased; and then ends those that are in one Finish.
func (tw *twins) overtake() {
	page, err := tw.model.store.Subscriptions(tw.model.ctx, store.SubscriptionQuery{AnyTenant: true})
	tw.model.must("Subscriptions", err)
	var subs []store.Subscription
	for _, sub := range page.Items {
		if sub.Status == store.Subscribed && events.Wants(sub.Events, "a.b") {
			subs = append(subs, sub)
		}
	}
	if len(subs) == 0 {
		return
	}
	sub := one(tw, subs...)
	var evs []events.Event
	for range 3 {
		ev := tw.ours.event("a.b")
		ev.Tenant, ev.Key = sub.Tenant, fmt.Sprint("overtaken ", tw.step)
		evs = append(evs, ev)
	}
	tw.pauseBoth(sub.ID, 0)
	tw.requeueWith(store.DeliveryQuery{AnyTenant: true, SubscriptionID: sub.ID, States: []store.State{store.Pending}}) // or it may be held
	tw.enqueueBoth(evs)
	all := store.ClaimRequest{Max: 1000, Lease: tw.duration()}
	tw.claimBy(all)
	tw.finishOf(sub.ID, tw.ending)
	tw.claimBy(all)
	tw.requeueWith(store.DeliveryQuery{AnyTenant: true, SubscriptionID: sub.ID, EventID: evs[0].ID})
	tw.claimBy(all)
	tw.finishOf(sub.ID, tw.ending)
}
