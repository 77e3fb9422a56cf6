package storetest

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
)

func deliveryRules() []rule {
	return []rule{
		{name: "newest-first", test: testNewestFirst,
			rule: "Deliveries lists newest first: by the order in which their events were enqueued, backwards."},
		{name: "filters", test: testDeliveryFilters,
			rule: "A DeliveryQuery selects by subscription, event, type and states."},
		{name: "since-until", test: testSinceUntil,
			rule: "A DeliveryQuery selects CreatedAt in [Since, Until)."},
		{name: "tenant", test: testDeliveryTenant,
			rule: "A DeliveryQuery selects only its Tenant's deliveries, unless AnyTenant."},
		{name: "attempts", test: testAttempts,
			rule: "Attempts: ErrNotFound when there is no such delivery; none before the first."},
	}
}

func testNewestFirst(c *check) {
	c.subscribe()
	c.subscribe()
	ids := append(c.publish(3), c.publish(2)...)
	evs := c.messages(1)
	evs[0].Time = evs[0].Time.Add(-store.SubscribeGrace / 2)
	c.enqueue(evs...)
	ids = append(ids, evs[0].ID)
	var want []string
	for _, id := range slices.Backward(ids) {
		want = append(want, id, id)
	}
	for _, limit := range []int{0, 1, 2, 5} {
		got := c.deliveries(store.DeliveryQuery{Limit: limit})
		c.sameIDs(fmt.Sprintf("deliveries, %d a page", limit), listed(got), want)
	}
	c.counts(delivered(c.claimOne()))
	c.counts(failed(c.claimOne(), 0))
	c.sameIDs("deliveries after attempts", listed(c.deliveries(store.DeliveryQuery{})), want)
}

func testDeliveryFilters(c *check) {
	sub := c.subscribe()
	c.subscribe("a.b")
	c.publishTo("a.b", 2)
	x := c.publishTo("a.b.c", 2)[0]
	done := false
	for _, cl := range c.claim(100) {
		switch {
		case cl.EventID != x:
		case done:
			c.counts(dead(cl))
		default:
			c.counts(delivered(cl))
		}
	}
	for name, tc := range map[string]struct {
		q    store.DeliveryQuery
		want int
	}{
		"all":                   {store.DeliveryQuery{}, 6},
		"by subscription":       {store.DeliveryQuery{SubscriptionID: sub.ID}, 4},
		"by unknown":            {store.DeliveryQuery{SubscriptionID: c.newSub().ID}, 0},
		"by event":              {store.DeliveryQuery{EventID: x}, 1},
		"by unknown event":      {store.DeliveryQuery{EventID: "nobody-knows-it"}, 0},
		"by type":               {store.DeliveryQuery{EventType: "a.b"}, 4},
		"by type, no pattern":   {store.DeliveryQuery{EventType: "a.*"}, 0},
		"by state":              {store.DeliveryQuery{States: []store.State{store.Delivered}}, 1},
		"by states":             {store.DeliveryQuery{States: []store.State{store.Delivered, store.Pending}}, 6},
		"by a state of none":    {store.DeliveryQuery{States: []store.State{store.Canceled}}, 0},
		"by subscription, type": {store.DeliveryQuery{SubscriptionID: sub.ID, EventType: "a.b.c"}, 2},
		"by type, state":        {store.DeliveryQuery{EventType: "a.b.c", States: []store.State{store.Pending}}, 1},
	} {
		tc.q.Limit = 1
		got := c.deliveries(tc.q)
		equal(c, "deliveries "+name, len(got), tc.want)
		for _, d := range got {
			if !tc.q.Matches(&d) {
				c.errorf("deliveries %s: got %+v", name, d)
			}
		}
	}
}

func testSinceUntil(c *check) {
	c.subscribe()
	var ids []string
	for range 3 {
		ids = append(ids, c.publish(1)...)
		c.pass(c.short / 10)
	}
	all := c.deliveries(store.DeliveryQuery{})
	if len(all) != 3 {
		c.fatalf("deliveries: got %d, want 3", len(all))
	}
	middle := all[1].CreatedAt
	since := listed(c.deliveries(store.DeliveryQuery{Since: middle}))
	c.sameIDs("since the second's CreatedAt", since, []string{ids[2], ids[1]})
	until := listed(c.deliveries(store.DeliveryQuery{Until: middle}))
	c.sameIDs("until the second's CreatedAt", until, []string{ids[0]})
	both := store.DeliveryQuery{Since: middle, Until: all[0].CreatedAt}
	c.sameIDs("between the second's and the third's", listed(c.deliveries(both)), []string{ids[1]})
}

func testDeliveryTenant(c *check) {
	for _, tenant := range []string{"", "one", "two"} {
		sub := c.newSub()
		sub.Tenant = tenant
		c.create(sub)
		ev := c.event("message.created")
		ev.Tenant = tenant
		c.enqueue(ev)
	}
	for _, tenant := range []string{"", "one", "two"} {
		got := c.deliveries(store.DeliveryQuery{Tenant: tenant})
		if len(got) != 1 || got[0].Tenant != tenant {
			c.errorf("deliveries of tenant %q: got %+v, want its own one", tenant, got)
		}
	}
	equal(c, "deliveries of nobody's", len(c.deliveries(store.DeliveryQuery{Tenant: "three"})), 0)
	equal(c, "deliveries of any tenant", len(c.deliveries(store.DeliveryQuery{Tenant: "one", AnyTenant: true})), 3)
}

func testAttempts(c *check) {
	sub := c.subscribe("message.created")
	other := c.subscribe("channel.updated")
	id := c.publish(1)[0]
	equal(c, "attempts before the first", len(c.attempts(store.Lease{SubscriptionID: sub.ID, EventID: id})), 0)
	for _, none := range []store.Lease{
		{SubscriptionID: other.ID, EventID: id},
		{SubscriptionID: sub.ID, EventID: "nobody-knows-it"},
		{SubscriptionID: c.newSub().ID, EventID: id},
	} {
		_, err := c.store.Attempts(c.ctx, none.SubscriptionID, none.EventID)
		c.is("Attempts of a delivery that is not there", err, store.ErrNotFound)
	}
}
