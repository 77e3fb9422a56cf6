package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func unsubscribeRules() []rule {
	return []rule{
		{name: "cancels", test: testUnsubscribe,
			rule: "When Status becomes Unsubscribed, every pending delivery becomes Canceled with " +
				"\"unsubscribed\" as its LastError."},
		{name: "reason", test: testUnsubscribeReason,
			rule: "When Status becomes Unsubscribed, every pending delivery becomes Canceled with the " +
				"DisabledReason as its LastError."},
		{name: "leases", test: testUnsubscribeLeases,
			rule: "When Status becomes Unsubscribed, the subscription's leases are void."},
		{name: "others", test: testUnsubscribeOthers,
			rule: "Unsubscribing changes nothing for other subscriptions, nor for what has finished."},
		{name: "resubscribe", test: testResubscribe,
			rule: "When Status becomes Subscribed, SubscribedAt is now and the health starts anew."},
		{name: "delete", test: testDelete,
			rule: "DeleteSubscription removes the subscription, its deliveries and its history, as soon as it " +
				"returns."},
		{name: "delete-others", test: testDeleteOthers,
			rule: "DeleteSubscription leaves other subscriptions' deliveries of the same events."},
		{name: "delete-recreate", test: testDeleteRecreate,
			rule: "The ID of a deleted subscription may be used again at once; nothing old belongs to the new one."},
	}
}

func testUnsubscribe(c *check) {
	sub := c.subscribe()
	c.publish(3)
	retry, leased := c.claimOne(), c.claimOne()
	c.counts(failed(retry, c.long))
	got := c.unsubscribe(sub.ID, "")
	equal(c, "Status", got.Status, store.Unsubscribed)
	ds := c.everything()
	equal(c, "deliveries", len(ds), 3)
	for _, d := range ds {
		equal(c, "state", d.State, store.Canceled)
		equal(c, "LastError", d.LastError, "unsubscribed")
		c.near("FinishedAt", d.FinishedAt, time.Now())
		if !d.DueAt.IsZero() {
			c.errorf("DueAt: got %v, want zero", d.DueAt)
		}
	}
	equal(c, "attempts of the one that had failed", len(c.attempts(retry.Lease)), 1)
	equal(c, "attempts of the leased one", len(c.attempts(leased.Lease)), 0)
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Pending", c.stats("").Pending, 0)
}

func testUnsubscribeReason(c *check) {
	sub := c.subscribe()
	id := c.publish(1)[0]
	c.unsubscribe(sub.ID, "nothing succeeded for 5 days")
	d := c.delivery(sub.ID, id)
	equal(c, "state", d.State, store.Canceled)
	equal(c, "LastError", d.LastError, "nothing succeeded for 5 days")
}

func testUnsubscribeLeases(c *check) {
	sub := c.subscribe()
	c.publish(2)
	retried, died := c.claimOne(), c.claimOne()
	c.unsubscribe(sub.ID, "")
	equal(c, "InFlight", c.stats("").InFlight, 0)
	c.ignored(failed(retried, 0))
	c.ignored(dead(died))
	c.state(retried.Lease, store.Canceled)
	c.state(died.Lease, store.Canceled)
	c.resubscribe(sub.ID)
	c.publish(1)
	limited := c.claimWith(store.ClaimRequest{Max: 5, PerSubscription: 1, MaxUnhealthy: 1}).Claims
	equal(c, "claims under limits that void leases would have used up", len(limited), 1)
}

func testUnsubscribeOthers(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(1)
	first := c.claim(2)
	for _, cl := range first {
		if cl.SubscriptionID == sub.ID {
			c.counts(delivered(cl))
		} else {
			c.release(cl)
		}
	}
	pending := c.publish(1)[0]
	c.unsubscribe(sub.ID, "")
	equal(c, "state of a finished one", c.delivery(sub.ID, first[0].EventID).State, store.Delivered)
	equal(c, "state of another's", c.delivery(other.ID, pending).State, store.Pending)
	equal(c, "claims of the other", perSubscription(c.claim(10))[other.ID], 2)
}

func testResubscribe(c *check) {
	sub := c.subscribe()
	old := c.publish(2)
	c.counts(held(c.claimOne(), 0, c.long))
	c.unsubscribe(sub.ID, "")
	c.publish(1)
	c.pass(c.short)
	again := c.resubscribe(sub.ID)
	c.near("SubscribedAt", again.SubscribedAt, time.Now())
	if !again.SubscribedAt.After(sub.SubscribedAt) {
		c.errorf("SubscribedAt: got %v, want later than %v", again.SubscribedAt, sub.SubscribedAt)
	}
	equal(c, "health", c.health(sub.ID), store.Health{})
	for _, id := range old {
		equal(c, "state of one from before", c.delivery(sub.ID, id).State, store.Canceled)
	}
	after := c.publish(1)
	c.sameIDs("claims after subscribing again", claimed(c.claim(10)), after)
}

func testDelete(c *check) {
	sub := c.subscribe()
	c.publish(3)
	done, leased := c.claimOne(), c.claimOne()
	c.counts(delivered(done))
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	_, err := c.store.Subscription(c.ctx, sub.ID)
	c.is("Subscription", err, store.ErrNotFound)
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{AnyTenant: true})
	c.must("Subscriptions", err)
	equal(c, "subscriptions", len(page.Items), 0)
	equal(c, "deliveries", len(c.everything()), 0)
	_, err = c.store.Attempts(c.ctx, sub.ID, done.EventID)
	c.is("Attempts", err, store.ErrNotFound)
	_, err = c.store.Stats(c.ctx, sub.ID)
	c.is("Stats", err, store.ErrNotFound)
	c.ignored(failed(leased, 0))
	c.release(leased)
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "figures", c.stats(""), store.Stats{})
	c.prune(store.Retention{})
	c.is("DeleteSubscription again", c.store.DeleteSubscription(c.ctx, sub.ID), store.ErrNotFound)
}

func testDeleteOthers(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	ids := c.publish(3)
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	c.prune(store.Retention{Delivered: c.short, Failed: c.short})
	claims := c.claim(10)
	c.sameIDs("claims", claimed(claims), ids)
	for _, cl := range claims {
		equal(c, "subscription of the claim", cl.SubscriptionID, other.ID)
	}
}

func testDeleteRecreate(c *check) {
	sub := c.subscribe()
	c.publish(2)
	leased := c.claimOne()
	c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	c.create(sub)
	equal(c, "deliveries of the new one", len(c.everything()), 0)
	equal(c, "claims of the new one", len(c.claim(10)), 0)
	c.ignored(delivered(leased))
	equal(c, "health of the new one", c.health(sub.ID), store.Health{})
	c.prune(store.Retention{})
	ids := c.publish(1)
	c.sameIDs("claims after an event", claimed(c.claim(10)), ids)
}
