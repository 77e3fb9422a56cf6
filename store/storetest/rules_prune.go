package storetest

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/store"
)

func pruneRules() []rule {
	return []rule{
		{name: "retention", test: testPrune,
			rule: "Finished deliveries are kept for their retention after they finished, and then removed."},
		{name: "two-retentions", test: testPruneTwo,
			rule: "Delivered is how long delivered ones are kept, Failed how long dead and canceled ones."},
		{name: "for-ever", test: testPruneForEver,
			rule: "A retention of zero keeps for ever."},
		{name: "pending", test: testPrunePending,
			rule: "What is pending is never pruned, however old."},
		{name: "events", test: testPruneEvents,
			rule: "Events that no delivery refers to any more are removed; those that one refers to are kept."},
		{name: "requeued", test: testPruneRequeued,
			rule: "A delivery that was requeued is pending, and kept."},
		{name: "steps", test: testPruneSteps,
			rule: "Prune reports whether there is more to do, and in the end there is not."},
	}
}

func testPrune(c *check) {
	sub := c.subscribe()
	c.publish(3)
	claims := c.claim(3)
	c.counts(delivered(claims[0]))
	c.pass(c.short)
	finished := time.Now()
	c.counts(delivered(claims[1]))
	c.prune(store.Retention{Delivered: c.short, Failed: c.short})
	if c.late(finished) {
		return
	}
	var want []string
	for _, cl := range []store.Claim{claims[2], claims[1]} {
		want = append(want, cl.EventID)
	}
	c.sameIDs("deliveries", listed(c.everything()), want)
	_, err := c.store.Attempts(c.ctx, sub.ID, claims[0].EventID)
	c.is("Attempts of a pruned one", err, store.ErrNotFound)
	c.counts(delivered(claims[2]))
	c.ignored(failed(claims[0], 0))
}

func testPruneTwo(c *check) {
	c.subscribe("message.created")
	gone := c.subscribe("channel.updated")
	c.publish(2)
	c.publishTo("channel.updated", 1)
	c.unsubscribe(gone.ID, "")
	claims := c.claim(2)
	c.finish(delivered(claims[0]), dead(claims[1]))
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short, Failed: c.long})
	equal(c, "delivered ones", c.inState(store.Delivered), 0)
	equal(c, "dead ones", c.inState(store.Dead), 1)
	equal(c, "canceled ones", c.inState(store.Canceled), 1)
	c.prune(store.Retention{Delivered: c.long, Failed: c.short})
	equal(c, "deliveries", len(c.everything()), 0)
}

// inState returns how many deliveries are in the state.
func (c *check) inState(state store.State) int {
	return len(c.deliveries(store.DeliveryQuery{AnyTenant: true, States: []store.State{state}}))
}

func testPruneForEver(c *check) {
	c.subscribe()
	c.publish(2)
	claims := c.claim(2)
	c.finish(delivered(claims[0]), dead(claims[1]))
	c.pass(c.short)
	c.prune(store.Retention{})
	equal(c, "deliveries", len(c.everything()), 2)
	c.prune(store.Retention{Failed: time.Nanosecond})
	equal(c, "delivered ones", c.inState(store.Delivered), 1)
	equal(c, "dead ones", c.inState(store.Dead), 0)
}

func testPrunePending(c *check) {
	c.subscribe()
	c.publish(3)
	c.counts(failed(c.claimOne(), 0))
	leased := c.claimOne()
	c.pass(2 * c.short)
	c.prune(store.Retention{Delivered: time.Nanosecond, Failed: time.Nanosecond})
	equal(c, "deliveries", len(c.everything()), 3)
	equal(c, "claims", len(c.claim(10)), 2)
	c.counts(delivered(leased))
	equal(c, "attempts", len(c.attempts(leased.Lease)), leased.Attempt)
}

func testPruneEvents(c *check) {
	c.subscribe()
	keeps := c.subscribe("channel.updated")
	evs := c.messages(2)
	evs[1].Type = "channel.updated"
	c.enqueue(evs...)
	for _, cl := range c.claim(10) {
		if cl.SubscriptionID != keeps.ID {
			c.counts(delivered(cl))
		}
	}
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short})
	other := evs
	for i := range other {
		other[i].Payload = json.RawMessage(`"other content"`)
	}
	c.is("Enqueue of an ID that a delivery refers to", c.store.Enqueue(c.ctx, other[1]), store.ErrConflict)
	c.must("Enqueue of an ID that none refers to", c.store.Enqueue(c.ctx, other[0]))
	cl := c.next("the event with other content", other[0].ID)
	body, err := other[0].Body()
	c.must("Body", err)
	equal(c, "body", string(cl.Body), string(body))
	equal(c, "Attempt", cl.Attempt, 1)
}

func testPruneRequeued(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(delivered(c.claimOne()))
	c.pass(c.short)
	c.requeue(store.DeliveryQuery{})
	c.prune(store.Retention{Delivered: c.short, Failed: c.short})
	cl, finished := c.claimOne(), time.Now()
	c.counts(delivered(cl))
	c.prune(store.Retention{Delivered: c.short, Failed: c.short})
	if left := len(c.everything()); !c.late(finished) {
		equal(c, "deliveries, the one that has just finished", left, 1)
	}
}

func testPruneSteps(c *check) {
	gone := c.subscribe()
	c.subscribe()
	for range 4 {
		c.publish(400)
	}
	for len(c.everything()) > c.inState(store.Delivered) {
		claims := c.claim(1000)
		if len(claims) == 0 {
			c.fatalf("claims: got none, want what is pending")
		}
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = delivered(cl)
		}
		c.finish(outcomes...)
	}
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, gone.ID))
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short})
	equal(c, "deliveries", len(c.everything()), 0)
	c.publish(1)
	equal(c, "claims of what is enqueued after", len(c.claim(10)), 1)
}
