package liveness

import (
	"encoding/json"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func restartRules() []check.Rule {
	return []check.Rule{
		{Name: "subscriptions", Test: testRestartSubscriptions, Restarts: true,
			Sentence: "Subscriptions are on disk when their method returns nil."},
		{Name: "events", Test: testRestartEvents, Restarts: true,
			Sentence: "Events and their deliveries are on disk when Enqueue returns nil, in " +
				"their order."},
		{Name: "outcomes", Test: testRestartOutcomes, Restarts: true,
			Sentence: "Outcomes that Finish has recorded are there after a restart."},
		{Name: "claims", Test: testRestartClaims, Restarts: true,
			Sentence: "What was leased before a restart is claimed again, at the latest when " +
				"the lease runs out, and with a new token."},
		{Name: "keys", Test: testRestartKeys, Restarts: true,
			Sentence: "Order within a key holds across restarts."},
		{Name: "unsubscribed", Test: testRestartUnsubscribed, Restarts: true,
			Sentence: "Deliveries canceled and subscriptions deleted before a restart stay so."},
		{Name: "erased", Test: testRestartErased, Restarts: true,
			Sentence: "Events erased before a restart stay erased."},
		{Name: "events-known", Test: testRestartEventsKnown, Restarts: true,
			Sentence: "An event that was stored before a restart is known after it, to its tenant."},
		{Name: "cursors", Test: testRestartCursors, Restarts: true,
			Sentence: "A cursor is good after a restart."},
	}
}

func testRestartCursors(c *check.Driver) {
	var subs []string
	for range 3 {
		subs = append(subs, c.Subscribe().ID)
	}
	ids := c.Publish(3)
	ds, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{SubscriptionID: subs[0], Limit: 1})
	c.Must("Deliveries", err)
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Limit: 1})
	c.Must("Subscriptions", err)
	c.Reopen()
	rest := c.Deliveries(store.DeliveryQuery{SubscriptionID: subs[0], Cursor: ds.Next})
	c.SameIDs("deliveries after the first", check.Listed(rest), []string{ids[1], ids[0]})
	page, err = c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Cursor: page.Next})
	c.Must("Subscriptions", err)
	c.SameIDs("subscriptions after the first", check.SubscriptionIDs(page.Items), subs[1:])
}

func testRestartSubscriptions(c *check.Driver) {
	kept, gone := c.Create(check.Full(c)), c.Subscribe()
	kept = c.Update(kept.ID, func(s *store.Subscription) { s.Name = "changed" })
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), gone.ID))
	c.Reopen()
	got, err := c.Store.Subscription(c.Ctx(), kept.ID)
	c.Must("Subscription", err)
	c.SameSubscription("Subscription", got, kept)
	c.SameTimes("Subscription", got, kept)
	_, err = c.Store.Subscription(c.Ctx(), gone.ID)
	c.Is("Subscription of a deleted one", err, store.ErrNotFound)
	later := c.Subscribe()
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{})
	c.Must("Subscriptions", err)
	c.SameIDs("subscriptions", check.SubscriptionIDs(page.Items), []string{kept.ID, later.ID})
}

func testRestartEvents(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(5)
	before := c.Everything()
	c.Reopen()
	after := c.Everything()
	c.SameIDs("deliveries", check.Listed(after), check.Listed(before))
	for i := range after {
		if !after[i].CreatedAt.Equal(before[i].CreatedAt) {
			c.Errorf("CreatedAt: got %v, want %v", after[i].CreatedAt, before[i].CreatedAt)
		}
	}
	ids = append(ids, c.Publish(2)...)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), ids)
}

func testRestartOutcomes(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]), check.Failed(claims[2], c.Long),
		check.Held(claims[3], 0, c.Long))
	health, before := c.Health(sub.ID), c.Everything()
	c.Reopen()
	check.Equal(c, "health", check.SameClock(c.Health(sub.ID)), check.SameClock(health))
	after := c.Everything()
	if len(after) != len(before) {
		c.Fatalf("deliveries: got %d, want %d", len(after), len(before))
	}
	for i := range after {
		c.SameDelivery("delivery", after[i], before[i])
		check.Equal(c, "attempts",
			len(c.Attempts(store.Lease{SubscriptionID: sub.ID, EventID: after[i].EventID})), 1)
	}
	check.Equal(c, "claims while held", len(c.Claim(10)), 0)
	// which lifts the hold
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	cl := c.Next("after the hold", claims[3].EventID)
	check.Equal(c, "Attempt", cl.Attempt, 2)
	check.Equal(c, "Retry", cl.Retry, 1)
}

func testRestartClaims(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(3)
	before := c.ClaimWith(store.ClaimRequest{Max: 2, Lease: c.Short}).Claims
	check.Equal(c, "claims", len(before), 2)
	c.Reopen()
	c.Pass(c.Short)
	after := c.Claim(10)
	c.SameIDs("claims after the restart", check.Claimed(after), ids)
	for i, cl := range before {
		if i < len(after) && after[i].Token == cl.Token {
			c.Errorf("token after the restart: got the one from before, %d", cl.Token)
		}
		c.Ignored(check.Failed(cl, c.Long))
	}
	c.Counts(check.Delivered(before[0]))
	c.State(before[0].Lease, store.Delivered)
}

func testRestartKeys(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k")
	c.Counts(check.Delivered(c.Next("the first", ids[0])))
	c.Counts(check.Failed(c.Next("the second", ids[1]), c.Short))
	c.Reopen()
	ids = append(ids, c.Keyed("k")...)
	c.Pass(c.Short)
	for _, id := range ids[1:] {
		c.Counts(check.Delivered(c.Next("after the restart", id)))
	}
}

func testRestartUnsubscribed(c *check.Driver) {
	sub, gone := c.Subscribe(), c.Subscribe()
	c.Publish(3)
	c.Unsubscribe(sub.ID, "")
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), gone.ID))
	c.Reopen()
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "deliveries", len(c.Everything()), 3)
	check.Equal(c, "canceled ones", c.InState(store.Canceled), 3)
	c.Resubscribe(sub.ID)
	c.Reopen()
	check.Equal(c, "claims after subscribing again", len(c.Claim(10)), 0)
	id := c.Publish(1)[0]
	c.Next("an event since", id)
}

func testRestartEventsKnown(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(2)
	c.Enqueue(evs...)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Reopen()
	c.Enqueue(evs...)
	check.Equal(c, "deliveries", len(c.Everything()), 2)
	c.Next("the one that is pending", evs[1].ID)
	evs[0].Payload = json.RawMessage(`"other content"`)
	c.Is("Enqueue with other content", c.Store.Enqueue(c.Ctx(), evs[0]), store.ErrConflict)
}

func testRestartErased(c *check.Driver) {
	sub := c.Subscribe()
	evs := c.Messages(3)
	c.Enqueue(evs...)
	claims := c.Claim(3)
	c.Finish(check.Delivered(claims[0]), check.WithBody(check.Failed(claims[1], 0), "its own"))
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{}), 3)
	c.Reopen()
	for i, want := range []store.State{store.Delivered, store.Canceled, store.Canceled} {
		c.State(claims[i].Lease, want)
		for _, a := range c.Attempts(claims[i].Lease) {
			check.Equal(c, "response", string(a.Response), "")
			check.Equal(c, "has a detail", a.Detail != nil, false)
		}
	}
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 0)
	evs[1].Payload = json.RawMessage(`"other content"`)
	c.Enqueue(evs...)
	check.Equal(c, "events erased again", c.Erase(store.EraseQuery{}), 0)
	c.Ignored(check.Failed(claims[2], 0))
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 0)
}
