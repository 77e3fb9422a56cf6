package storetest

import (
	"errors"
	"fmt"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func readRules() []rule {
	return []rule{
		{name: "subscription", test: testReadsSubscription,
			rule: "What a change made of a subscription is what every method returns from then on, whatever was read before."},
		{name: "deleted", test: testReadsDeleted,
			rule: "A deleted subscription is what no method returns, whatever was read before, and one that is created anew " +
				"under its ID has nothing of it."},
		{name: "delivery", test: testReadsDelivery,
			rule: "What a change made of a delivery is what every method that reads it returns from then on, whatever was " +
				"read before."},
	}
}

// seesSubscription checks what every method says of a subscription.
func (c *check) seesSubscription(after string, want store.Subscription) {
	c.readsSubscription(after, want)
	errSeen := errors.New("seen")
	_, err := c.store.UpdateSubscription(c.ctx, want.ID, func(s *store.Subscription) error {
		c.sameSubscription("what the next change gets after "+after, *s, want)
		return errSeen
	})
	c.is("UpdateSubscription", err, errSeen)
}

// readsSubscription checks what every method that only reads says of it.
func (c *check) readsSubscription(after string, want store.Subscription) {
	got, err := c.store.Subscription(c.ctx, want.ID)
	c.must("Subscription", err)
	c.sameSubscription("Subscription after "+after, got, want)
	for _, q := range []store.SubscriptionQuery{{}, {AnyTenant: true}, {Limit: 100}} {
		page, err := c.store.Subscriptions(c.ctx, q)
		c.must("Subscriptions", err)
		equal(c, "Total after "+after, page.Total, 1)
		if len(page.Items) != 1 {
			c.fatalf("Subscriptions after %s: got %d, want 1", after, len(page.Items))
		}
		c.sameSubscription("Subscriptions after "+after, page.Items[0], want)
	}
}

func testReadsSubscription(c *check) {
	want := c.full()
	want.Events = nil
	c.create(want)
	c.seesSubscription("it was created", want)
	changes := []struct {
		name   string
		change func(*store.Subscription)
	}{
		{"a new name", func(s *store.Subscription) { s.Name = "changed" }},
		{"a new URL", func(s *store.Subscription) { s.URL += "/changed" }},
		{"new events", func(s *store.Subscription) { s.Events = []string{"message.*"} }},
		{"new headers", func(s *store.Subscription) { s.Headers = map[string]string{"X-Two": "2"} }},
		{"new keys", func(s *store.Subscription) { s.Secrets = []signing.Secret{"one", "two"} }},
		{"being disabled", func(s *store.Subscription) { s.Status, s.DisabledReason = store.Unsubscribed, "gone" }},
		{"being subscribed", func(s *store.Subscription) { s.Status, s.DisabledReason = store.Subscribed, "" }},
	}
	for _, ch := range changes {
		c.publish(1)
		for _, cl := range c.claim(10) {
			c.sameSubscription("the claim before "+ch.name, cl.Subscription, want)
			c.release(cl)
		}
		c.readsSubscription("what was before "+ch.name, want)
		want = want.Clone()
		ch.change(&want)
		c.sameSubscription("UpdateSubscription", c.update(want.ID, ch.change), want)
		c.seesSubscription(ch.name, want)
		if want.Status != store.Subscribed {
			continue
		}
		c.publish(1)
		for _, cl := range c.claim(100) {
			c.sameSubscription("a claim after "+ch.name, cl.Subscription, want)
			c.release(cl)
		}
	}
}

func testReadsDeleted(c *check) {
	sub := c.subscribe()
	ids := c.publish(2)
	c.counts(failed(c.claimOne(), c.long))
	cl := c.claimOne()
	c.counts(delivered(cl))
	c.readAll(sub, cl)
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	c.seesNothing("the subscription was deleted", sub.ID, ids)
	_, err := c.store.Subscription(c.ctx, sub.ID)
	c.is("Subscription of a deleted one", err, store.ErrNotFound)
	_, err = c.store.Stats(c.ctx, sub.ID)
	c.is("Stats of a deleted one", err, store.ErrNotFound)
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{AnyTenant: true})
	c.must("Subscriptions", err)
	equal(c, "subscriptions after the only one was deleted", len(page.Items), 0)
	equal(c, "Total after the only one was deleted", page.Total, 0)

	sub.Name = "another"
	c.create(sub)
	c.seesSubscription("it was created anew", sub)
	c.seesNothing("a subscription was created anew", sub.ID, ids)
	stats := c.stats(sub.ID)
	equal(c, "health of the new one", stats.Health, store.Health{})
	equal(c, "Pending of the new one", stats.Pending, 0)
	equal(c, "Hour of the new one", stats.Hour, store.AttemptStats{})
}

// seesNothing checks that nobody says anything of the deliveries that a subscription had.
func (c *check) seesNothing(after, subscriptionID string, eventIDs []string) {
	c.readsNothing(after, subscriptionID, eventIDs)
	equal(c, "claims after "+after, len(c.claim(10)), 0)
}

// readsNothing is seesNothing of the methods that only read.
func (c *check) readsNothing(after, subscriptionID string, eventIDs []string) {
	for _, q := range []store.DeliveryQuery{{}, {SubscriptionID: subscriptionID}, {EventID: eventIDs[0]}, {States: store.States()}} {
		q.Count = true
		page, err := c.store.Deliveries(c.ctx, q)
		c.must("Deliveries", err)
		equal(c, "deliveries after "+after, len(page.Items), 0)
		equal(c, "Total after "+after, page.Total, 0)
	}
	for _, id := range eventIDs {
		_, err := c.store.Attempts(c.ctx, subscriptionID, id)
		c.is("Attempts after "+after, err, store.ErrNotFound)
	}
	equal(c, "Pending after "+after, c.stats("").Pending, 0)
}

// seen is what every method is to say of the only delivery there is.
type seen struct {
	state    store.State
	attempts int
	inFlight int
	erased   bool
}

func (c *check) seesDelivery(after string, l store.Lease, want seen) {
	for _, q := range []store.DeliveryQuery{
		{}, {AnyTenant: true}, {SubscriptionID: l.SubscriptionID}, {EventID: l.EventID}, {States: []store.State{want.state}},
		{SubscriptionID: l.SubscriptionID, States: []store.State{want.state}},
	} {
		q.Count = true
		page, err := c.store.Deliveries(c.ctx, q)
		c.must("Deliveries", err)
		what := fmt.Sprintf("deliveries by %+v after %s", q, after)
		equal(c, what+": Total", page.Total, 1)
		if len(page.Items) != 1 {
			c.errorf("%s: got %d, want 1", what, len(page.Items))
			continue
		}
		d := page.Items[0]
		equal(c, what+": State", d.State, want.state)
		equal(c, what+": Attempts", d.Attempts, want.attempts)
		equal(c, what+": Erased", d.Erased, want.erased)
	}
	for _, state := range store.States() {
		if state != want.state {
			got := c.deliveries(store.DeliveryQuery{States: []store.State{state}})
			equal(c, "deliveries that are "+string(state)+" after "+after, len(got), 0)
		}
	}
	attempts := c.attempts(l)
	equal(c, "Attempts after "+after, len(attempts), want.attempts)
	for _, a := range attempts {
		equal(c, "a Response is kept after "+after, len(a.Response) > 0, !want.erased)
	}
	pending := 0
	if want.state == store.Pending {
		pending = 1
	}
	for _, id := range []string{"", l.SubscriptionID} {
		stats := c.stats(id)
		equal(c, "Pending after "+after, stats.Pending, pending)
		equal(c, "InFlight after "+after, stats.InFlight, want.inFlight)
		equal(c, "OldestPending is zero after "+after, stats.OldestPending.IsZero(), pending == 0)
	}
}

// testReadsDelivery reads everything right before each change and after it: a cache of what was read
// must not outlive the change.
func testReadsDelivery(c *check) {
	sub := c.subscribe()
	evs := c.messages(1)
	id := evs[0].ID
	l := store.Lease{SubscriptionID: sub.ID, EventID: id}
	c.readsNothing("its subscription was created", sub.ID, []string{id})
	c.enqueue(evs...)
	c.seesDelivery("it was enqueued", l, seen{state: store.Pending})
	claim := func(attempts int) store.Claim {
		cl := c.claimOne()
		c.seesDelivery("it was claimed", l, seen{state: store.Pending, attempts: attempts, inFlight: 1})
		return cl
	}
	claim(0)
	c.must("Release", c.store.Release(c.ctx, c.lastLease(l)))
	c.seesDelivery("a lease was given back that is none", l, seen{state: store.Pending, inFlight: 1})
	c.unsubscribe(sub.ID, "")
	c.seesDelivery("its subscription was unsubscribed", l, seen{state: store.Canceled})
	c.resubscribe(sub.ID)
	c.seesDelivery("its subscription was subscribed again", l, seen{state: store.Canceled})
	equal(c, "requeued", c.requeue(store.DeliveryQuery{EventID: id}), 1)
	c.seesDelivery("it was requeued", l, seen{state: store.Pending})
	c.release(claim(0))
	c.seesDelivery("it was released", l, seen{state: store.Pending})
	c.counts(failed(claim(0), 0))
	c.seesDelivery("an attempt failed", l, seen{state: store.Pending, attempts: 1})
	c.counts(held(claim(1), 0, c.long))
	c.seesDelivery("its subscription was held", l, seen{state: store.Pending, attempts: 2})
	equal(c, "NextProbeAt is zero while it is held", c.health(sub.ID).NextProbeAt.IsZero(), false)
	c.must("ProbeNow", c.store.ProbeNow(c.ctx, sub.ID))
	equal(c, "NextProbeAt is zero after ProbeNow", c.health(sub.ID).NextProbeAt.IsZero(), true)
	c.counts(dead(claim(2)))
	c.seesDelivery("it was given up", l, seen{state: store.Dead, attempts: 3})
	c.requeue(store.DeliveryQuery{EventID: id})
	c.seesDelivery("it was requeued again", l, seen{state: store.Pending, attempts: 3})
	c.counts(delivered(claim(3)))
	c.seesDelivery("it was delivered", l, seen{state: store.Delivered, attempts: 4})
	c.eraseOne(id)
	c.seesDelivery("it was erased", l, seen{state: store.Delivered, attempts: 4, erased: true})
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short / 2})
	c.seesNothing("it was pruned", sub.ID, []string{id})
}

// lastLease is a lease with a token that no claim has.
func (c *check) lastLease(l store.Lease) store.Lease {
	l.Token = 1<<64 - 1
	return l
}
