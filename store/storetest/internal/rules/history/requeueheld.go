package history

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// held checks which subscriptions a step of Requeue says are held.
func held(c *check.Driver, what string, q store.DeliveryQuery, want ...string) {
	r, err := c.Store.Requeue(c.Ctx(), q)
	c.Must("Requeue", err)
	slices.Sort(r.Held)
	slices.Sort(want)
	if !slices.Equal(r.Held, want) {
		c.Errorf("Held of %s: got %v, want %v", what, r.Held, want)
	}
}

func testRequeueHeld(c *check.Driver) {
	a, b := c.Subscribe(), c.Subscribe()
	health := check.Hold(c, 3, c.Long)
	held(c, "all that is finished", store.DeliveryQuery{}, a.ID, b.ID)
	held(c, "nothing", store.DeliveryQuery{})
	for id, h := range health {
		got := c.Health(id)
		check.Equal(c, "Failures", got.Failures, h.Failures)
		check.Equal(c, "Probes", got.Probes, h.Probes)
		c.Near("NextProbeAt", got.NextProbeAt, h.NextProbeAt)
	}
	check.Equal(c, "claims while they are held", len(c.Claim(100)), 0)
	held(c,
		"a step of one",
		store.DeliveryQuery{States: store.States(), Limit: 1, SubscriptionID: a.ID}, a.ID)
	held(c, "all", store.DeliveryQuery{States: store.States()}, a.ID, b.ID)
}

func testRequeueHeldMet(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	claims := c.Claim(2)
	c.Counts(check.Held(claims[0], c.Long, c.Long))
	leased, due := ids[1], ids[2]
	// one that is due is asked for as the next probe
	for id, n := range map[string]int{leased: 0, due: 1} {
		q := store.DeliveryQuery{EventID: id, States: []store.State{store.Pending}}
		check.Equal(c, "requeued", c.Requeue(q), n)
		held(c, "one that is due or leased", q, sub.ID)
	}
	held(c, "one that waits for a retry",
		store.DeliveryQuery{EventID: ids[0], States: store.States()}, sub.ID)
	c.Counts(check.Delivered(claims[1]))
	held(c, "one that a success let go", store.DeliveryQuery{States: store.States()})
}

func testRequeueHeldOthers(c *check.Driver) {
	a, b := c.Subscribe(), c.Subscribe()
	check.Hold(c, 2, c.Long)
	held(c, "one of two", store.DeliveryQuery{SubscriptionID: a.ID}, a.ID)
	held(c, "an event that is not there",
		store.DeliveryQuery{EventID: "none", States: store.States()})
	c.Unsubscribe(b.ID, "")
	held(c, "all, one of them unsubscribed", store.DeliveryQuery{States: store.States()}, a.ID)
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), a.ID))
	held(c, "one that is to be probed", store.DeliveryQuery{States: store.States()})
	c.Update(a.ID, func(s *store.Subscription) { s.URL += "/new" })
	check.Hold(c, 1, c.Short)
	c.Pass(c.Short)
	held(c, "one whose hold is over", store.DeliveryQuery{States: store.States()})
}
