package history

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func pruneRules() []check.Rule {
	return []check.Rule{
		{Name: "retention", Test: testPrune,
			Sentence: "Finished deliveries are kept for their retention after they finished, " +
				"and then removed."},
		{Name: "two-retentions", Test: testPruneTwo,
			Sentence: "Delivered is how long delivered ones are kept, Failed how long dead and " +
				"canceled ones."},
		{Name: "for-ever", Test: testPruneForEver,
			Sentence: "A retention of zero keeps for ever."},
		{Name: "pending", Test: testPrunePending,
			Sentence: "Pending deliveries are never pruned."},
		{Name: "events", Test: testPruneEvents,
			Sentence: "Events without deliveries are removed; events with one are kept."},
		{Name: "requeued", Test: testPruneRequeued,
			Sentence: "A requeued delivery is pending, so it is kept."},
		{Name: "steps", Test: testPruneSteps,
			Sentence: "Prune reports whether there is more to do, and in the end there is not."},
	}
}

func testPrune(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	c.Counts(check.Delivered(claims[0]))
	c.Pass(c.Short)
	finished := time.Now()
	c.Counts(check.Delivered(claims[1]))
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	if c.Late(finished) {
		return
	}
	var want []string
	for _, cl := range []store.Claim{claims[2], claims[1]} {
		want = append(want, cl.EventID)
	}
	c.SameIDs("deliveries", check.Listed(c.Everything()), want)
	_, err := c.Store.Attempts(c.Ctx(), sub.ID, claims[0].EventID)
	c.Is("Attempts of a pruned one", err, store.ErrNotFound)
	c.Counts(check.Delivered(claims[2]))
	c.Ignored(check.Failed(claims[0], 0))
}

func testPruneTwo(c *check.Driver) {
	c.Subscribe("message.created")
	gone := c.Subscribe("channel.updated")
	c.Publish(2)
	c.PublishTo("channel.updated", 1)
	c.Unsubscribe(gone.ID, "")
	claims := c.Claim(2)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]))
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Long})
	check.Equal(c, "delivered ones", c.InState(store.Delivered), 0)
	check.Equal(c, "dead ones", c.InState(store.Dead), 1)
	check.Equal(c, "canceled ones", c.InState(store.Canceled), 1)
	c.Prune(store.Retention{Delivered: c.Long, Failed: c.Short})
	check.Equal(c, "deliveries", len(c.Everything()), 0)
}

func testPruneForEver(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	claims := c.Claim(2)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]))
	c.Pass(c.Short)
	c.Prune(store.Retention{})
	check.Equal(c, "deliveries", len(c.Everything()), 2)
	c.Prune(store.Retention{Failed: time.Nanosecond})
	check.Equal(c, "delivered ones", c.InState(store.Delivered), 1)
	check.Equal(c, "dead ones", c.InState(store.Dead), 0)
}

func testPrunePending(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	leased := c.ClaimOne()
	c.Pass(2 * c.Short)
	c.Prune(store.Retention{Delivered: time.Nanosecond, Failed: time.Nanosecond})
	check.Equal(c, "deliveries", len(c.Everything()), 3)
	check.Equal(c, "claims", len(c.Claim(10)), 2)
	c.Counts(check.Delivered(leased))
	check.Equal(c, "attempts", len(c.Attempts(leased.Lease)), leased.Attempt)
}

func testPruneEvents(c *check.Driver) {
	c.Subscribe()
	keeps := c.Subscribe("channel.updated")
	evs := c.Messages(2)
	evs[1].Type = "channel.updated"
	c.Enqueue(evs...)
	for _, cl := range c.Claim(10) {
		if cl.SubscriptionID != keeps.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short})
	other := evs
	for i := range other {
		other[i].Payload = json.RawMessage(`"other content"`)
	}
	c.Is("Enqueue of an ID that a delivery refers to", c.Store.Enqueue(c.Ctx(), other[1]),
		store.ErrConflict)
	c.Must("Enqueue of an ID that none refers to", c.Store.Enqueue(c.Ctx(), other[0]))
	cl := c.Next("the event with other content", other[0].ID)
	body, err := other[0].Body()
	c.Must("Body", err)
	check.Equal(c, "body", string(cl.Body), string(body))
	check.Equal(c, "Attempt", cl.Attempt, 1)
}

func testPruneRequeued(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Pass(c.Short)
	c.Requeue(store.DeliveryQuery{})
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	cl, finished := c.ClaimOne(), time.Now()
	c.Counts(check.Delivered(cl))
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	if left := len(c.Everything()); !c.Late(finished) {
		check.Equal(c, "deliveries, the one that has just finished", left, 1)
	}
}

func testPruneSteps(c *check.Driver) {
	gone := c.Subscribe()
	c.Subscribe()
	for range 4 {
		c.Publish(400)
	}
	for len(c.Everything()) > c.InState(store.Delivered) {
		claims := c.Claim(1000)
		if len(claims) == 0 {
			c.Fatalf("claims: got none, want what is pending")
		}
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = check.Delivered(cl)
		}
		c.Finish(outcomes...)
	}
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), gone.ID))
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short})
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	c.Publish(1)
	check.Equal(c, "claims of what is enqueued after", len(c.Claim(10)), 1)
}
