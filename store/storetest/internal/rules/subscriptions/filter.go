package subscriptions

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func filterRules() []check.Rule {
	return []check.Rule{
		{Name: "payload", Test: testFilter,
			Sentence: "A subscription with a Filter gets the events whose payload it takes, as the " +
				"payload is sent, and no others."},
		{Name: "each", Test: testFilterEach,
			Sentence: "Each event of an Enqueue goes to those whose Filter takes it, keyed or not."},
		{Name: "none", Test: testFilterNone,
			Sentence: "An event that no Filter takes is not stored, and is counted as unwanted."},
		{Name: "conflict", Test: testFilterConflict,
			Sentence: "An event that is stored is known by its ID also if no Filter takes it now."},
		{Name: "changed", Test: testFilterChanged,
			Sentence: "A change of a Filter counts from the next Enqueue on, and not for what is " +
				"pending."},
		{Name: "broken", Test: testFilterBroken,
			Sentence: "A Filter that does not parse takes nothing."},
		{Name: "states", Test: testFilterStates,
			Sentence: "A Filter counts for paused and for disabled subscriptions too."},
		{Name: "old", Test: testFilterOld, Days: true,
			Sentence: "A Filter counts for an event that happened before others subscribed."},
		{Name: "tenants", Test: testFilterTenants,
			Sentence: "A Filter counts for its own subscription alone."},
		{Name: "many", Test: testFilterMany,
			Sentence: "However many subscriptions have a Filter, each is asked."},
		{Name: "alone", Test: testFilterAlone,
			Sentence: "While the Filters of a tenant's subscriptions are asked, others publish."},
		{Name: "at-once", Test: testFilterAtOnce,
			Sentence: "While Filters change, each event goes to those whose Filter takes it."},
		{Name: "restart", Test: testFilterRestart, Restarts: true,
			Sentence: "A Filter counts after a restart."},
		{Name: "host-tx", Test: testFilterHostTx, HostTx: true,
			Sentence: "A Filter counts in a host transaction."},
	}
}

// filtered creates a subscription with a filter.
func filtered(c *check.Driver, filter string, types ...string) store.Subscription {
	sub := c.NewSub(types...)
	sub.Filter = filter
	return c.Create(sub)
}

// carrying returns an event with a payload.
func carrying(c *check.Driver, payload string) events.Event {
	ev := c.Event("message.created")
	ev.Payload = json.RawMessage(payload)
	return ev
}

// gets checks how many claims there are for each subscription.
func gets(c *check.Driver, what string, want map[string]int) {
	maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
	if got := check.PerSubscription(c.Claim(1000)); !maps.Equal(got, want) {
		c.Errorf("%s: got claims %v, want %v", what, got, want)
	}
}

func testFilter(c *check.Driver) {
	eu, us := filtered(c, `{"region":"eu"}`), filtered(c, `{"region":"us"}`, "message.*")
	large := filtered(c, `{"total":{"$gte":100},"region":{"$ne":"us"}}`)
	all, other := c.Subscribe(), filtered(c, `{"region":"eu"}`, "channel.updated")
	for payload, want := range map[string]map[string]int{
		`{"region":"eu","total":5}`:       {eu.ID: 1, all.ID: 1},
		`{"total":100.0 , "region":"eu"}`: {eu.ID: 1, large.ID: 1, all.ID: 1},
		`{"total":1e3,"region":"us"}`:     {us.ID: 1, all.ID: 1},
		`{"total":99.99}`:                 {all.ID: 1},
		`[{"total":100},{"total":1}]`:     {large.ID: 1, all.ID: 1},
		`"eu"`:                            {all.ID: 1},
		`null`:                            {all.ID: 1},
	} {
		c.Enqueue(carrying(c, payload))
		gets(c, payload, want)
	}
	check.Equal(c, "deliveries for another type", len(c.Deliveries(
		store.DeliveryQuery{SubscriptionID: other.ID})), 0)
}

func testFilterEach(c *check.Driver) {
	odd, all := filtered(c, `{"odd":true}`), c.Subscribe()
	even := filtered(c, `{"odd":false}`)
	var evs []events.Event
	var odds, evens []string
	for i := range 10 {
		ev := carrying(c, fmt.Sprintf(`{"odd":%t}`, i%2 == 1))
		if i > 5 {
			ev.Key = "k"
		}
		evs = append(evs, ev)
		if i%2 == 1 {
			odds = append([]string{ev.ID}, odds...)
		} else {
			evens = append([]string{ev.ID}, evens...)
		}
	}
	c.Enqueue(evs...)
	of := func(sub store.Subscription) []string {
		return check.Listed(c.Deliveries(store.DeliveryQuery{SubscriptionID: sub.ID}))
	}
	c.SameIDs("deliveries of the odd ones", of(odd), odds)
	c.SameIDs("deliveries of the even ones", of(even), evens)
	check.Equal(c, "deliveries of all", len(of(all)), 10)
	// All but what waits for an earlier one of its key.
	gets(c, "the batch", map[string]int{odd.ID: 4, even.ID: 4, all.ID: 7})
}

func testFilterNone(c *check.Driver) {
	sub := filtered(c, `{"a":1}`)
	refused := carrying(c, `{"a":2}`)
	c.Enqueue(refused, carrying(c, `{"a":1}`))
	check.Equal(c, "deliveries", len(c.Everything()), 1)
	_, err := c.Store.Event(c.Ctx(), "", refused.ID)
	c.Is("Event of one that no filter takes", err, store.ErrNotFound)
	want := map[string]int{"message.created": 1}
	if got := c.Stats("").Unwanted; !maps.Equal(got, want) {
		c.Errorf("Unwanted: got %v, want %v", got, want)
	}
	refused.Payload = json.RawMessage(`{"a":1}`)
	c.Enqueue(refused)
	check.Equal(c, "deliveries of its ID with other content", len(c.Deliveries(
		store.DeliveryQuery{SubscriptionID: sub.ID, EventID: refused.ID})), 1)
}

func testFilterConflict(c *check.Driver) {
	sub := filtered(c, `{"a":1}`)
	ev := carrying(c, `{"a":1}`)
	c.Enqueue(ev)
	c.Update(sub.ID, func(s *store.Subscription) { s.Filter = `{"a":2}` })
	c.Enqueue(ev)
	check.Equal(c, "deliveries of what was enqueued twice", len(c.Everything()), 1)
	ev.Payload = json.RawMessage(`{"a":3}`)
	c.Is("Enqueue of its ID with other content", c.Store.Enqueue(c.Ctx(), ev), store.ErrConflict)
	ev.Payload = json.RawMessage(`{"a":2}`)
	c.Is("Enqueue of its ID with content that it takes", c.Store.Enqueue(c.Ctx(), ev),
		store.ErrConflict)
}

func testFilterChanged(c *check.Driver) {
	sub, all := c.Subscribe(), c.Subscribe()
	one := func(n int) events.Event { return carrying(c, fmt.Sprintf(`{"n":%d}`, n)) }
	c.Enqueue(one(1))
	gets(c, "without a filter", map[string]int{sub.ID: 1, all.ID: 1})
	c.Enqueue(one(1))
	c.Update(sub.ID, func(s *store.Subscription) { s.Filter = `{"n":2}` })
	gets(c, "what was pending when it got one", map[string]int{sub.ID: 1, all.ID: 1})
	c.Enqueue(one(1), one(2), one(2))
	gets(c, "with a filter", map[string]int{sub.ID: 2, all.ID: 3})
	c.Update(sub.ID, func(s *store.Subscription) { s.Filter = `{"n":{"$lt":2}}` })
	c.Enqueue(one(1), one(2), one(2))
	gets(c, "with another", map[string]int{sub.ID: 1, all.ID: 3})
	c.Update(sub.ID, func(s *store.Subscription) { s.Name = "renamed" })
	c.Enqueue(one(1), one(2))
	gets(c, "when something else has changed", map[string]int{sub.ID: 1, all.ID: 2})
	c.Update(sub.ID, func(s *store.Subscription) { s.Filter = "" })
	c.Enqueue(one(1), one(2))
	gets(c, "without one again", map[string]int{sub.ID: 2, all.ID: 2})
}

func testFilterBroken(c *check.Driver) {
	// Of an operator that another version knows, and of what is no filter at all.
	unknown, none := filtered(c, `{"a":{"$regex":"x"}}`), filtered(c, `no filter`)
	all := c.Subscribe()
	c.Enqueue(carrying(c, `{"a":"x"}`), carrying(c, `{}`))
	gets(c, "filters that do not parse", map[string]int{all.ID: 2})
	for _, sub := range []store.Subscription{unknown, none} {
		got, err := c.Store.Subscription(c.Ctx(), sub.ID)
		c.Must("Subscription", err)
		c.Invalid("FilterError of "+sub.Filter, got.FilterError())
	}
}

func testFilterStates(c *check.Driver) {
	paused, disabled := filtered(c, `{"a":1}`), filtered(c, `{"a":1}`)
	keyed := carrying(c, `{"a":1}`)
	keyed.Key = "k"
	c.Update(paused.ID, func(s *store.Subscription) { s.Status = store.Paused })
	c.Unsubscribe(disabled.ID, "answered 410")
	all := c.Subscribe() // so what the others refuse is stored
	c.Enqueue(carrying(c, `{"a":1}`), carrying(c, `{"a":2}`), keyed)
	check.Equal(c, "deliveries", len(c.Everything()), 7)
	for id, want := range map[string]store.State{
		paused.ID: store.Pending, disabled.ID: store.Canceled,
	} {
		ds := c.Deliveries(store.DeliveryQuery{SubscriptionID: id})
		check.Equal(c, "deliveries of one that is not subscribed", len(ds), 2)
		for _, d := range ds {
			check.Equal(c, "state", d.State, want)
		}
	}
	c.Resubscribe(paused.ID)
	gets(c, "what a pause has kept", map[string]int{paused.ID: 2, all.ID: 3})
}

func testFilterOld(c *check.Driver) {
	sub := filtered(c, `{"a":1}`)
	takes, refuses := carrying(c, `{"a":1}`), carrying(c, `{"a":2}`)
	again := carrying(c, `{"a":1}`)
	c.Pass(2 * store.SubscribeGrace)
	later := filtered(c, `{}`)
	for range 2 { // whatever a store keeps from one to the next
		c.Enqueue(takes, refuses)
		c.Enqueue(again)
	}
	gets(c, "events from before one subscribed", map[string]int{sub.ID: 2})
	c.Enqueue(carrying(c, `{"a":1}`))
	gets(c, "one from now", map[string]int{sub.ID: 1, later.ID: 1})
}

func testFilterTenants(c *check.Driver) {
	ours, theirs := c.NewSub(), c.NewSub()
	ours.Tenant, ours.Filter = "ours", `{"a":1}`
	theirs.Tenant, theirs.Filter = "theirs", `{"a":2}`
	ours, theirs = c.Create(ours), c.Create(theirs)
	for i := range 3 {
		a, b := carrying(c, fmt.Sprintf(`{"a":%d}`, i)), carrying(c, fmt.Sprintf(`{"a":%d}`, i))
		a.Tenant, b.Tenant = "ours", "theirs"
		c.Enqueue(a)
		c.Enqueue(b)
	}
	gets(c, "three events of each of two tenants", map[string]int{ours.ID: 1, theirs.ID: 1})
}

func testFilterMany(c *check.Driver) {
	n := 300
	if c.Slow {
		n = 40
	}
	want := make(map[string]int)
	for i := range n {
		sub := filtered(c, fmt.Sprintf(`{"n":{"$lte":%d}}`, i))
		want[sub.ID] = min(i, 3) // of the events 1, 2 and 3
	}
	c.Enqueue(carrying(c, `{"n":1}`), carrying(c, `{"n":2}`), carrying(c, `{"n":3}`))
	gets(c, "three events", want)
}

func testFilterRestart(c *check.Driver) {
	sub, all := filtered(c, `{"a":1}`), c.Subscribe()
	c.Reopen()
	c.Enqueue(carrying(c, `{"a":1}`), carrying(c, `{"a":2}`))
	gets(c, "after a restart", map[string]int{sub.ID: 1, all.ID: 2})
}

func testFilterHostTx(c *check.Driver) {
	sub, all := filtered(c, `{"a":1}`), c.Subscribe()
	for range 2 { // the second with what is known of the filter by then
		tx := c.Enqueued(carrying(c, `{"a":1}`), carrying(c, `{"a":2}`))
		c.Must("Commit", tx.Commit(c.Ctx()))
		gets(c, "a host transaction", map[string]int{sub.ID: 1, all.ID: 2})
	}
	c.Update(sub.ID, func(s *store.Subscription) { s.Filter = `{"a":2}` })
	tx := c.Enqueued(carrying(c, `{"a":1}`))
	c.Must("Commit", tx.Commit(c.Ctx()))
	gets(c, "a host transaction after a change", map[string]int{all.ID: 1})
}
