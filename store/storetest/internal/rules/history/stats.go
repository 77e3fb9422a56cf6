package history

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func statsRules() []check.Rule {
	return []check.Rule{
		{Name: "store", Test: testStatsStore,
			Sentence: "Stats returns the figures of the whole store when the ID is empty."},
		{Name: "subscription", Test: testStatsSubscription,
			Sentence: "Stats returns the figures and the health of one subscription."},
		{Name: "oldest", Test: testStatsOldest,
			Sentence: "OldestPending is the time at which the oldest pending delivery was " +
				"enqueued; zero if none is pending."},
		{Name: "failing-since", Test: testStatsFailingSince,
			Sentence: "FailingSince is the time of the first of the Failures; zero if there are " +
				"none."},
		{Name: "not-found", Sentence: "Stats returns ErrNotFound for an unknown subscription.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				_, err := c.Store.Stats(c.Ctx(), c.NewSub().ID)
				c.Is("Stats", err, store.ErrNotFound)
			}},
	}
}

func testStatsStore(c *check.Driver) {
	check.Equal(c, "figures of an empty store", fmt.Sprintf("%+v", c.Stats("")),
		fmt.Sprintf("%+v", store.Stats{}))
	tenant := c.NewSub()
	tenant.Tenant = "tenant"
	c.Create(tenant)
	sub := c.Subscribe()
	c.Unsubscribe(c.Subscribe().ID, "")
	ev := c.Event("message.created")
	ev.Tenant = "tenant"
	c.Enqueue(ev)
	c.Publish(4)
	req := store.ClaimRequest{Max: 4, PerSubscription: 3}
	for _, cl := range c.ClaimWith(req).Claims {
		if cl.SubscriptionID == sub.ID && cl.EventID != "event-4" {
			c.Counts(check.Failed(cl, c.Long))
		}
	}
	got := c.Stats("")
	check.Equal(c, "Subscriptions", got.Subscriptions, 3)
	check.Equal(c, "Pending", got.Pending, 5)
	check.Equal(c, "InFlight", got.InFlight, 2)
	check.Equal(c, "Health", got.Health, store.Health{})
	c.Near("OldestPending", got.OldestPending, time.Now())
}

func testStatsSubscription(c *check.Driver) {
	sub, other := c.Subscribe("one.type"), c.Subscribe("two.type")
	c.PublishTo("one.type", 3)
	c.PublishTo("two.type", 5)
	for _, cl := range c.Claim(4) {
		if cl.SubscriptionID == sub.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	got := c.Stats(sub.ID)
	check.Equal(c, "Pending", got.Pending, 1)
	check.Equal(c, "InFlight", got.InFlight, 0)
	check.Equal(c, "Health", got.Health, store.Health{Healthy: true})
	got = c.Stats(other.ID)
	check.Equal(c, "the other's Pending", got.Pending, 5)
	check.Equal(c, "the other's InFlight", got.InFlight, 2)
	check.Equal(c, "the other's Health", got.Health, store.Health{})
}

func testStatsOldest(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	first := c.Everything()[0].CreatedAt
	c.Pass(c.Short)
	c.Publish(1)
	for _, id := range []string{"", sub.ID} {
		if got := c.Stats(id).OldestPending; !got.Equal(first) {
			c.Errorf("OldestPending: got %v, want %v", got, first)
		}
	}
	c.Counts(check.Delivered(c.ClaimOne()))
	second := c.Everything()[0].CreatedAt
	for _, id := range []string{"", sub.ID} {
		if got := c.Stats(id).OldestPending; !got.Equal(second) {
			c.Errorf("OldestPending without the first: got %v, want %v", got, second)
		}
	}
	c.Counts(check.Dead(c.ClaimOne()))
	if got := c.Stats("").OldestPending; !got.IsZero() {
		c.Errorf("OldestPending when none is pending: got %v, want zero", got)
	}
}

func testStatsFailingSince(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	zero := func(when string) {
		if got := c.Stats(sub.ID).FailingSince; !got.IsZero() {
			c.Errorf("FailingSince %s: got %v, want zero", when, got)
		}
	}
	zero("before any failure")
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	first := time.Now()
	for range 2 {
		c.Near("FailingSince", c.Stats(sub.ID).FailingSince, first)
		c.Pass(c.Short)
		c.Counts(check.Failed(c.ClaimOne(), 0))
	}
	c.Near("FailingSince after three failures", c.Stats(sub.ID).FailingSince, first)
	if got := c.Stats("").FailingSince; !got.IsZero() {
		c.Errorf("FailingSince of the whole store: got %v, want zero", got)
	}
	c.Counts(check.Delivered(c.ClaimOne()))
	zero("after a success")
}
