package history

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func countPendingRules() []check.Rule {
	return []check.Rule{
		{Name: "tenant", Test: testCountPendingTenant,
			Sentence: "CountPending counts the pending deliveries of one tenant, leased ones " +
				"included."},
		{Name: "limit", Test: testCountPendingLimit,
			Sentence: "CountPending returns no more than its limit, and 0 if that is below 1."},
		{Name: "ended", Test: testCountPendingEnded,
			Sentence: "CountPending no longer counts a delivery that has ended in any way, and " +
				"counts one that was requeued."},
		{Name: "restart", Restarts: true, Test: testCountPendingRestart,
			Sentence: "CountPending counts the same after a restart."},
	}
}

// pendingOf has two tenants with subscriptions and publishes for each of them: 3 events for 2
// subscriptions of "one", and 2 for 1 of "two".
func pendingOf(c *check.Driver) (one, two []store.Subscription) {
	subscribe := func(tenant string) store.Subscription {
		sub := c.NewSub()
		sub.Tenant = tenant
		return c.Create(sub)
	}
	one = []store.Subscription{subscribe("one"), subscribe("one")}
	two = []store.Subscription{subscribe("two")}
	publishOf(c, "one", 3)
	publishOf(c, "two", 2)
	return one, two
}

func publishOf(c *check.Driver, tenant string, n int) []string {
	evs := c.Messages(n)
	for i := range evs {
		evs[i].Tenant = tenant
	}
	c.Enqueue(evs...)
	return check.EventIDs(evs)
}

func testCountPendingTenant(c *check.Driver) {
	check.Equal(c, "pending in an empty store", c.CountPending("one", 100), 0)
	pendingOf(c)
	check.Equal(c, "pending of one", c.CountPending("one", 100), 6)
	check.Equal(c, "pending of two", c.CountPending("two", 100), 2)
	check.Equal(c, "pending of a tenant that is not there", c.CountPending("", 100), 0)
	c.Subscribe()
	c.Publish(4)
	check.Equal(c, "pending of the tenant without a name", c.CountPending("", 100), 4)
	c.Claim(100)
	check.Equal(c, "pending of one, leased", c.CountPending("one", 100), 6)
}

func testCountPendingLimit(c *check.Driver) {
	pendingOf(c)
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 5: 5, 6: 6, 7: 6} {
		check.Equal(c, "pending of one", c.CountPending("one", limit), want)
	}
}

// testCountPendingEnded ends deliveries in each of the ways that there are.
func testCountPendingEnded(c *check.Driver) {
	one, two := pendingOf(c)
	pending := 6
	counts := func(after string, d int) {
		pending += d
		check.Equal(c, "pending of one "+after, c.CountPending("one", 100), pending)
		check.Equal(c, "pending of two "+after, c.CountPending("two", 100), 2)
	}
	var claims []store.Claim
	for _, cl := range c.Claim(100) {
		if cl.Tenant == "one" {
			claims = append(claims, cl)
		}
	}
	c.Counts(check.Delivered(claims[0]))
	counts("after a success", -1)
	c.Counts(check.Dead(claims[1]))
	counts("when one is dead", -1)
	c.Counts(check.Failed(claims[2], c.Long))
	counts("after a failure", 0)
	c.Must("Release", c.Store.Release(c.Ctx(), claims[3].Lease))
	counts("after a release", 0)
	c.RequeueAll(store.DeliveryQuery{
		Tenant: "one", States: []store.State{store.Dead, store.Delivered},
	})
	counts("when two were requeued", +2)
	c.Erase(store.EraseQuery{Tenant: claims[0].Tenant, EventID: claims[0].EventID})
	counts("when an event was erased", -2)
	c.Unsubscribe(one[0].ID, "")
	counts("when a subscription was unsubscribed", -2)
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), one[1].ID))
	counts("when a subscription was deleted", -2)
	c.Resubscribe(one[0].ID)
	publishOf(c, "one", 2)
	counts("when more was published", +2)
	c.Update(two[0].ID, func(s *store.Subscription) { s.Tenant = "one" })
	counts("when a change of the tenant was ignored", 0)
}

func testCountPendingRestart(c *check.Driver) {
	pendingOf(c)
	for _, cl := range c.Claim(3) {
		c.Counts(check.Failed(cl, c.Long))
	}
	for range 2 {
		c.Reopen()
		check.Equal(c, "pending of two", c.CountPending("two", 100), 2)
		check.Equal(c, "pending of one", c.CountPending("one", 100), 6)
	}
	publishOf(c, "one", 1)
	check.Equal(c, "pending of one when more was published", c.CountPending("one", 100), 8)
}
