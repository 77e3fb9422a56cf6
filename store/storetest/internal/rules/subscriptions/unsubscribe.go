package subscriptions

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func unsubscribeRules() []check.Rule {
	return []check.Rule{
		{Name: "cancels", Test: testUnsubscribe,
			Sentence: "When Status becomes Unsubscribed, every pending delivery becomes " +
				"Canceled with \"unsubscribed\" as its LastError."},
		{Name: "reason", Test: testUnsubscribeReason,
			Sentence: "When Status becomes Unsubscribed, every pending delivery becomes " +
				"Canceled with the DisabledReason as its LastError."},
		{Name: "leases", Test: testUnsubscribeLeases,
			Sentence: "When Status becomes Unsubscribed, the subscription's leases are void."},
		{Name: "others", Test: testUnsubscribeOthers,
			Sentence: "Unsubscribing changes nothing for other subscriptions, nor for what has " +
				"finished."},
		{Name: "resubscribe", Test: testResubscribe,
			Sentence: "When Status becomes Subscribed, SubscribedAt is now and the health is " +
				"reset."},
		{Name: "delete", Test: testDelete,
			Sentence: "DeleteSubscription removes the subscription, its deliveries and its " +
				"history, as soon as it returns."},
		{Name: "delete-others", Test: testDeleteOthers,
			Sentence: "DeleteSubscription leaves other subscriptions' deliveries of the same " +
				"events."},
		{Name: "delete-recreate", Test: testDeleteRecreate,
			Sentence: "The ID of a deleted subscription is free at once; the new subscription " +
				"inherits nothing."},
	}
}

func testUnsubscribe(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	retry, leased := c.ClaimOne(), c.ClaimOne()
	c.Counts(check.Failed(retry, c.Long))
	got := c.Unsubscribe(sub.ID, "")
	check.Equal(c, "Status", got.Status, store.Unsubscribed)
	ds := c.Everything()
	check.Equal(c, "deliveries", len(ds), 3)
	for _, d := range ds {
		check.Equal(c, "state", d.State, store.Canceled)
		check.Equal(c, "LastError", d.LastError, "unsubscribed")
		c.Near("FinishedAt", d.FinishedAt, time.Now())
		if !d.DueAt.IsZero() {
			c.Errorf("DueAt: got %v, want zero", d.DueAt)
		}
	}
	check.Equal(c, "attempts of the one that had failed", len(c.Attempts(retry.Lease)), 1)
	check.Equal(c, "attempts of the leased one", len(c.Attempts(leased.Lease)), 0)
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
}

func testUnsubscribeReason(c *check.Driver) {
	sub := c.Subscribe()
	id := c.Publish(1)[0]
	c.Unsubscribe(sub.ID, "nothing succeeded for 5 days")
	d := c.Delivery(sub.ID, id)
	check.Equal(c, "state", d.State, store.Canceled)
	check.Equal(c, "LastError", d.LastError, "nothing succeeded for 5 days")
}

func testUnsubscribeLeases(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	retried, died := c.ClaimOne(), c.ClaimOne()
	c.Unsubscribe(sub.ID, "")
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	c.Ignored(check.Failed(retried, 0))
	c.Ignored(check.Dead(died))
	c.State(retried.Lease, store.Canceled)
	c.State(died.Lease, store.Canceled)
	c.Resubscribe(sub.ID)
	c.Publish(1)
	limited := c.ClaimWith(store.ClaimRequest{Max: 5, PerSubscription: 1, MaxUnhealthy: 1}).Claims
	check.Equal(c, "claims under limits that void leases would have used up", len(limited), 1)
}

func testUnsubscribeOthers(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(1)
	first := c.Claim(2)
	for _, cl := range first {
		if cl.SubscriptionID == sub.ID {
			c.Counts(check.Delivered(cl))
		} else {
			c.Release(cl)
		}
	}
	pending := c.Publish(1)[0]
	c.Unsubscribe(sub.ID, "")
	check.Equal(c, "state of a finished one", c.Delivery(sub.ID, first[0].EventID).State,
		store.Delivered)
	check.Equal(c, "state of another's", c.Delivery(other.ID, pending).State, store.Pending)
	check.Equal(c, "claims of the other", check.PerSubscription(c.Claim(10))[other.ID], 2)
}

func testResubscribe(c *check.Driver) {
	sub := c.Subscribe()
	old := c.Publish(2)
	c.Counts(check.Held(c.ClaimOne(), 0, c.Long))
	c.Unsubscribe(sub.ID, "")
	c.Publish(1)
	c.Pass(c.Short)
	again := c.Resubscribe(sub.ID)
	c.Near("SubscribedAt", again.SubscribedAt, time.Now())
	if !again.SubscribedAt.After(sub.SubscribedAt) {
		c.Errorf("SubscribedAt: got %v, want later than %v", again.SubscribedAt, sub.SubscribedAt)
	}
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	for _, id := range old {
		check.Equal(c, "state of one from before", c.Delivery(sub.ID, id).State, store.Canceled)
	}
	after := c.Publish(1)
	c.SameIDs("claims after subscribing again", check.Claimed(c.Claim(10)), after)
}

func testDelete(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	done, leased := c.ClaimOne(), c.ClaimOne()
	c.Counts(check.Delivered(done))
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	_, err := c.Store.Subscription(c.Ctx(), sub.ID)
	c.Is("Subscription", err, store.ErrNotFound)
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	c.Must("Subscriptions", err)
	check.Equal(c, "subscriptions", len(page.Items), 0)
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	_, err = c.Store.Attempts(c.Ctx(), sub.ID, done.EventID)
	c.Is("Attempts", err, store.ErrNotFound)
	_, err = c.Store.Stats(c.Ctx(), sub.ID)
	c.Is("Stats", err, store.ErrNotFound)
	c.Ignored(check.Failed(leased, 0))
	c.Release(leased)
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "figures", fmt.Sprintf("%+v", c.Stats("")), fmt.Sprintf("%+v", store.Stats{}))
	c.Prune(store.Retention{})
	c.Is("DeleteSubscription again", c.Store.DeleteSubscription(c.Ctx(), sub.ID), store.ErrNotFound)
}

func testDeleteOthers(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	ids := c.Publish(3)
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	claims := c.Claim(10)
	c.SameIDs("claims", check.Claimed(claims), ids)
	for _, cl := range claims {
		check.Equal(c, "subscription of the claim", cl.SubscriptionID, other.ID)
	}
}

func testDeleteRecreate(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	leased := c.ClaimOne()
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	c.Create(sub)
	check.Equal(c, "deliveries of the new one", len(c.Everything()), 0)
	check.Equal(c, "claims of the new one", len(c.Claim(10)), 0)
	c.Ignored(check.Delivered(leased))
	check.Equal(c, "health of the new one", c.Health(sub.ID), store.Health{})
	c.Prune(store.Retention{})
	ids := c.Publish(1)
	c.SameIDs("claims after an event", check.Claimed(c.Claim(10)), ids)
}
