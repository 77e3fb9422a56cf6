package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func statsRules() []rule {
	return []rule{
		{name: "store", test: testStatsStore,
			rule: "Stats returns the figures of the whole store when the ID is empty."},
		{name: "subscription", test: testStatsSubscription,
			rule: "Stats returns the figures and the health of one subscription."},
		{name: "oldest", test: testStatsOldest,
			rule: "OldestPending is when the oldest pending delivery was enqueued; zero when none is pending."},
		{name: "failing-since", test: testStatsFailingSince,
			rule: "Stats: FailingSince is when the first of the Failures was; zero when there are none."},
		{name: "not-found", rule: "Stats: ErrNotFound when there is no such subscription.",
			test: func(c *check) {
				c.subscribe()
				_, err := c.store.Stats(c.ctx, c.newSub().ID)
				c.is("Stats", err, store.ErrNotFound)
			}},
	}
}

func testStatsStore(c *check) {
	equal(c, "figures of an empty store", c.stats(""), store.Stats{})
	tenant := c.newSub()
	tenant.Tenant = "tenant"
	c.create(tenant)
	sub := c.subscribe()
	c.unsubscribe(c.subscribe().ID, "")
	ev := c.event("message.created")
	ev.Tenant = "tenant"
	c.enqueue(ev)
	c.publish(4)
	req := store.ClaimRequest{Max: 4, PerSubscription: 3}
	for _, cl := range c.claimWith(req).Claims {
		if cl.SubscriptionID == sub.ID && cl.EventID != "event-4" {
			c.counts(failed(cl, c.long))
		}
	}
	got := c.stats("")
	equal(c, "Subscriptions", got.Subscriptions, 3)
	equal(c, "Pending", got.Pending, 5)
	equal(c, "InFlight", got.InFlight, 2)
	equal(c, "Health", got.Health, store.Health{})
	c.near("OldestPending", got.OldestPending, time.Now())
}

func testStatsSubscription(c *check) {
	sub, other := c.subscribe("one.type"), c.subscribe("two.type")
	c.publishTo("one.type", 3)
	c.publishTo("two.type", 5)
	for _, cl := range c.claim(4) {
		if cl.SubscriptionID == sub.ID {
			c.counts(delivered(cl))
		}
	}
	got := c.stats(sub.ID)
	equal(c, "Pending", got.Pending, 1)
	equal(c, "InFlight", got.InFlight, 0)
	equal(c, "Health", got.Health, store.Health{Healthy: true})
	got = c.stats(other.ID)
	equal(c, "the other's Pending", got.Pending, 5)
	equal(c, "the other's InFlight", got.InFlight, 2)
	equal(c, "the other's Health", got.Health, store.Health{})
}

func testStatsOldest(c *check) {
	sub := c.subscribe()
	c.publish(1)
	first := c.everything()[0].CreatedAt
	c.pass(c.short)
	c.publish(1)
	for _, id := range []string{"", sub.ID} {
		if got := c.stats(id).OldestPending; !got.Equal(first) {
			c.errorf("OldestPending: got %v, want %v", got, first)
		}
	}
	c.counts(delivered(c.claimOne()))
	second := c.everything()[0].CreatedAt
	for _, id := range []string{"", sub.ID} {
		if got := c.stats(id).OldestPending; !got.Equal(second) {
			c.errorf("OldestPending without the first: got %v, want %v", got, second)
		}
	}
	c.counts(dead(c.claimOne()))
	if got := c.stats("").OldestPending; !got.IsZero() {
		c.errorf("OldestPending when none is pending: got %v, want zero", got)
	}
}

func testStatsFailingSince(c *check) {
	sub := c.subscribe()
	c.publish(2)
	zero := func(when string) {
		if got := c.stats(sub.ID).FailingSince; !got.IsZero() {
			c.errorf("FailingSince %s: got %v, want zero", when, got)
		}
	}
	zero("before any failure")
	c.counts(failed(c.claimOne(), c.long))
	first := time.Now()
	for range 2 {
		c.near("FailingSince", c.stats(sub.ID).FailingSince, first)
		c.pass(c.short)
		c.counts(failed(c.claimOne(), 0))
	}
	c.near("FailingSince after three failures", c.stats(sub.ID).FailingSince, first)
	if got := c.stats("").FailingSince; !got.IsZero() {
		c.errorf("FailingSince of the whole store: got %v, want zero", got)
	}
	c.counts(delivered(c.claimOne()))
	zero("after a success")
}
