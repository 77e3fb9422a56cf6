package storetest

import (
	"encoding/json"

	"github.com/outhook/outhook/store"
)

func restartRules() []rule {
	return []rule{
		{name: "subscriptions", test: testRestartSubscriptions, restart: true,
			rule: "Subscriptions are on disk when their method returns nil."},
		{name: "events", test: testRestartEvents, restart: true,
			rule: "Events and their deliveries are on disk when Enqueue returns nil, in their order."},
		{name: "outcomes", test: testRestartOutcomes, restart: true,
			rule: "What Finish has recorded is there after the store was closed and opened again."},
		{name: "claims", test: testRestartClaims, restart: true,
			rule: "What was leased before a restart is claimed again, at the latest when the lease runs out, and " +
				"with a new token."},
		{name: "keys", test: testRestartKeys, restart: true,
			rule: "Order within a key holds across restarts."},
		{name: "unsubscribed", test: testRestartUnsubscribed, restart: true,
			rule: "What was canceled or deleted before a restart stays so."},
		{name: "erased", test: testRestartErased, restart: true,
			rule: "What was erased before a restart stays so."},
		{name: "events-known", test: testRestartEventsKnown, restart: true,
			rule: "An event that was stored before a restart is known after it."},
	}
}

func testRestartSubscriptions(c *check) {
	kept, gone := c.create(c.full()), c.subscribe()
	kept = c.update(kept.ID, func(s *store.Subscription) { s.Name = "changed" })
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, gone.ID))
	c.reopen()
	got, err := c.store.Subscription(c.ctx, kept.ID)
	c.must("Subscription", err)
	c.sameSubscription("Subscription", got, kept)
	c.sameTimes("Subscription", got, kept)
	_, err = c.store.Subscription(c.ctx, gone.ID)
	c.is("Subscription of a deleted one", err, store.ErrNotFound)
	later := c.subscribe()
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{})
	c.must("Subscriptions", err)
	c.sameIDs("subscriptions", subscriptionIDs(page.Items), []string{kept.ID, later.ID})
}

func testRestartEvents(c *check) {
	c.subscribe()
	ids := c.publish(5)
	before := c.everything()
	c.reopen()
	after := c.everything()
	c.sameIDs("deliveries", listed(after), listed(before))
	for i := range after {
		if !after[i].CreatedAt.Equal(before[i].CreatedAt) {
			c.errorf("CreatedAt: got %v, want %v", after[i].CreatedAt, before[i].CreatedAt)
		}
	}
	ids = append(ids, c.publish(2)...)
	c.sameIDs("claims", claimed(c.claim(10)), ids)
}

func testRestartOutcomes(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(4)
	c.finish(delivered(claims[0]), dead(claims[1]), failed(claims[2], c.long), held(claims[3], 0, c.long))
	health, before := c.health(sub.ID), c.everything()
	c.reopen()
	equal(c, "health", sameClock(c.health(sub.ID)), sameClock(health))
	after := c.everything()
	if len(after) != len(before) {
		c.fatalf("deliveries: got %d, want %d", len(after), len(before))
	}
	for i := range after {
		c.sameDelivery("delivery", after[i], before[i])
		equal(c, "attempts", len(c.attempts(store.Lease{SubscriptionID: sub.ID, EventID: after[i].EventID})), 1)
	}
	equal(c, "claims while held", len(c.claim(10)), 0)
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" }) // which lifts the hold
	cl := c.next("after the hold", claims[3].EventID)
	equal(c, "Attempt", cl.Attempt, 2)
	equal(c, "Retry", cl.Retry, 1)
}

func testRestartClaims(c *check) {
	c.subscribe()
	ids := c.publish(3)
	before := c.claimWith(store.ClaimRequest{Max: 2, Lease: c.short}).Claims
	equal(c, "claims", len(before), 2)
	c.reopen()
	c.pass(c.short)
	after := c.claim(10)
	c.sameIDs("claims after the restart", claimed(after), ids)
	for i, cl := range before {
		if i < len(after) && after[i].Token == cl.Token {
			c.errorf("token after the restart: got the one from before, %d", cl.Token)
		}
		c.ignored(failed(cl, c.long))
	}
	c.counts(delivered(before[0]))
	c.state(before[0].Lease, store.Delivered)
}

func testRestartKeys(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k")
	c.counts(delivered(c.next("the first", ids[0])))
	c.counts(failed(c.next("the second", ids[1]), c.short))
	c.reopen()
	ids = append(ids, c.keyed("k")...)
	c.pass(c.short)
	for _, id := range ids[1:] {
		c.counts(delivered(c.next("after the restart", id)))
	}
}

func testRestartUnsubscribed(c *check) {
	sub, gone := c.subscribe(), c.subscribe()
	c.publish(3)
	c.unsubscribe(sub.ID, "")
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, gone.ID))
	c.reopen()
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "deliveries", len(c.everything()), 3)
	equal(c, "canceled ones", c.inState(store.Canceled), 3)
	c.resubscribe(sub.ID)
	c.reopen()
	equal(c, "claims after subscribing again", len(c.claim(10)), 0)
	id := c.publish(1)[0]
	c.next("an event since", id)
}

func testRestartEventsKnown(c *check) {
	c.subscribe()
	evs := c.messages(2)
	c.enqueue(evs...)
	c.counts(delivered(c.claimOne()))
	c.reopen()
	c.enqueue(evs...)
	equal(c, "deliveries", len(c.everything()), 2)
	c.next("the one that is pending", evs[1].ID)
	evs[0].Payload = json.RawMessage(`"other content"`)
	c.is("Enqueue with other content", c.store.Enqueue(c.ctx, evs[0]), store.ErrConflict)
}

func testRestartErased(c *check) {
	sub := c.subscribe()
	evs := c.messages(3)
	c.enqueue(evs...)
	claims := c.claim(3)
	c.finish(delivered(claims[0]), withBody(failed(claims[1], 0), "its own"))
	equal(c, "events erased", c.erase(store.EraseQuery{}), 3)
	c.reopen()
	for i, want := range []store.State{store.Delivered, store.Canceled, store.Canceled} {
		c.state(claims[i].Lease, want)
		for _, a := range c.attempts(claims[i].Lease) {
			equal(c, "response", string(a.Response), "")
		}
	}
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 0)
	evs[1].Payload = json.RawMessage(`"other content"`)
	c.enqueue(evs...)
	equal(c, "events erased again", c.erase(store.EraseQuery{}), 0)
	c.ignored(failed(claims[2], 0))
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Pending", c.stats(sub.ID).Pending, 0)
}
