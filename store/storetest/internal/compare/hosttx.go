package compare

import (
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// longestTx is how many steps a host transaction stays open at most.
const longestTx = 3

// host begins a host transaction and enqueues in it, or ends the one that is open. The
// model gets the events when it commits. Where other calls that write would wait for it, it is
// ended in the same step.
func (s *sequence) host() {
	if s.tx != nil {
		s.endHost(!s.chance(4))
		return
	}
	s.stepAside()
	s.txEvents, s.txStep = nil, s.step
	for range 1 + s.rand.IntN(3) {
		ev := s.ours.Event(s.eventType())
		// A key of its own: whether what commits late goes before what was enqueued meanwhile is
		// the store's choice.
		ev.Tenant, ev.Key = s.tenant(), one(s.rand, "", fmt.Sprint("host ", s.step))
		s.txEvents = append(s.txEvents, ev)
		s.note("in a host transaction, enqueue %s %s, tenant %q, key %q", ev.ID, ev.Type,
			ev.Tenant, ev.Key)
	}
	s.tx = s.ours.Enqueued(s.txEvents...)
	if s.ours.Hosted.Exclusive {
		s.compareSubscriptions()
		s.compareStats("")
		s.compareDeliveries(store.DeliveryQuery{AnyTenant: true})
		s.endHost(!s.chance(4))
	}
}

// endHost ends the transaction.
func (s *sequence) endHost(commit bool) {
	tx, evs := s.tx, s.txEvents
	s.tx, s.txEvents = nil, nil
	if !commit {
		s.note("the transaction is rolled back")
		s.ours.Must("Rollback", tx.Rollback(s.ours.Ctx()))
		return
	}
	s.note("the transaction is committed")
	s.ours.Must("Commit", tx.Commit(s.ours.Ctx()))
	s.model.Enqueue(evs...)
	s.events = append(s.events, evs...)
	if s.ours.Hosted.Exclusive {
		return
	}
	// Their place in the order is the store's choice: that of when they were enqueued, or of when
	// that was committed.
	s.disordered = true
	for _, ev := range evs {
		for _, d := range s.model.Deliveries(store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID}) {
			s.requeued[delivery{d.SubscriptionID, d.EventID}] = true
		}
	}
}

// overtake leads to where deliveries of one Key are leased at the same time, with others behind
// them, for which an earlier one must be requeued while a later one is leased; and then ends those
// that are in one Finish.
func (s *sequence) overtake() {
	page, err := s.model.Store.Subscriptions(s.model.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	s.model.Must("Subscriptions", err)
	var subs []store.Subscription
	for _, sub := range page.Items {
		if sub.Status == store.Subscribed && events.Wants(sub.Events, "a.b") && sub.Filter == "" {
			subs = append(subs, sub)
		}
	}
	if len(subs) == 0 {
		return
	}
	sub := one(s.rand, subs...)
	var evs []events.Event
	for range 3 {
		ev := s.ours.Event("a.b")
		ev.Tenant, ev.Key = sub.Tenant, fmt.Sprint("overtaken ", s.step)
		evs = append(evs, ev)
	}
	s.pauseBoth(sub.ID, 0)
	// or it may be held
	s.requeueWith(store.DeliveryQuery{AnyTenant: true, SubscriptionID: sub.ID,
		States: []store.State{store.Pending}})
	s.enqueueBoth(evs)
	all := store.ClaimRequest{Max: 1000, Lease: s.duration()}
	s.claimBy(all)
	s.finishOf(sub.ID, s.ending)
	s.claimBy(all)
	s.requeueWith(store.DeliveryQuery{AnyTenant: true, SubscriptionID: sub.ID, EventID: evs[0].ID})
	s.claimBy(all)
	s.finishOf(sub.ID, s.ending)
}
