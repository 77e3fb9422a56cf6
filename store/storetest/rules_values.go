package storetest

import (
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func valueRules() []rule {
	return []rule{
		{name: "subscription-in", test: testSubscriptionIn,
			rule: "A store keeps no reference to the subscription it was given."},
		{name: "subscription-out", test: testSubscriptionOut,
			rule: "The subscription that a store returns is the caller's."},
		{name: "change", test: testChangeValues,
			rule: "A store keeps no reference to what change of UpdateSubscription has left."},
		{name: "event", test: testEventValues,
			rule: "A store keeps no reference to the event it was given."},
		{name: "attempt", test: testAttemptValues,
			rule: "Neither the attempt that a store was given nor the one it returns is shared with it."},
	}
}

// full returns a subscription with something in each list and map.
func (c *check) full() store.Subscription {
	sub := c.newSub("message.created")
	sub.Headers = map[string]string{"X-One": "1"}
	sub.Secrets = []signing.Secret{"key"}
	return sub
}

// spoil changes everything that a subscription refers to.
func spoil(sub store.Subscription) {
	sub.Events[0] = "spoilt.type"
	sub.Headers["X-One"] = "spoilt"
	sub.Headers["X-Spoilt"] = "1"
	sub.Secrets[0] = "spoilt"
}

// unspoilt checks that the store still has the subscription as it was.
func (c *check) unspoilt(what string, id string, want store.Subscription) {
	stored, err := c.store.Subscription(c.ctx, id)
	c.must("Subscription", err)
	c.sameSubscription(what, stored, want)
	c.publish(1)
	cl := c.claimOne()
	c.sameSubscription(what+", in a claim", cl.Subscription, want)
	c.counts(delivered(cl))
}

func testSubscriptionIn(c *check) {
	given := c.full()
	want := given.Clone()
	_, err := c.store.CreateSubscription(c.ctx, given)
	c.must("CreateSubscription", err)
	spoil(given)
	c.unspoilt("after the given one was changed", want.ID, want)
}

func testSubscriptionOut(c *check) {
	want := c.full()
	spoil(c.create(want.Clone()))
	c.unspoilt("after the created one was changed", want.ID, want)
	got, err := c.store.Subscription(c.ctx, want.ID)
	c.must("Subscription", err)
	spoil(got)
	c.unspoilt("after the one of Subscription was changed", want.ID, want)
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{})
	c.must("Subscriptions", err)
	spoil(page.Items[0])
	c.unspoilt("after the listed one was changed", want.ID, want)
	spoil(c.update(want.ID, func(*store.Subscription) {}))
	c.unspoilt("after the updated one was changed", want.ID, want)
}

func testChangeValues(c *check) {
	want := c.full()
	c.create(want.Clone())
	var kept *store.Subscription
	given := c.full()
	c.update(want.ID, func(s *store.Subscription) {
		s.Events, s.Headers, s.Secrets = given.Events, given.Headers, given.Secrets
		kept = s
	})
	spoil(given)
	spoil(*kept)
	c.unspoilt("after what change left was changed", want.ID, want)
}

func testEventValues(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	body, err := ev.Body()
	c.must("Body", err)
	c.enqueue(ev)
	for i := range ev.Payload {
		ev.Payload[i] = 'x'
	}
	cl := c.claimOne()
	equal(c, "body after the payload was changed", string(cl.Body), string(body))
}

func testAttemptValues(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	o := delivered(cl)
	o.Attempt.Response = []byte("answer")
	c.counts(o)
	o.Attempt.Response[0] = 'x'
	for range 2 {
		got := c.attempts(cl.Lease)
		if len(got) != 1 {
			c.fatalf("attempts: got %d, want 1", len(got))
		}
		equal(c, "response", string(got[0].Response), "answer")
		got[0].Response[0] = 'y'
		got[0].Status = 1
	}
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{})
	c.must("Deliveries", err)
	page.Items[0].State = store.Dead
	c.state(cl.Lease, store.Delivered)
}
