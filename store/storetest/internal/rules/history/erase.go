package history

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func eraseRules() []check.Rule {
	return []check.Rule{
		{Name: "responses", Test: testErase,
			Sentence: "Erase removes every Response of the event's deliveries; deliveries and attempts stay otherwise."},
		{Name: "says-so", Test: testEraseSaysSo,
			Sentence: "Deliveries of an erased event are Erased, in every state, and no others are."},
		{Name: "pending", Test: testErasePending,
			Sentence: "Pending deliveries of an erased event become Canceled with \"erased\" as their LastError."},
		{Name: "finished", Test: testEraseFinished,
			Sentence: "Deliveries of an erased event that are over stay in their state, with what they say."},
		{Name: "leases", Test: testEraseLeases,
			Sentence: "Leases of an erased event are void; a success still ends its delivery as Delivered, without a " +
				"Response."},
		{Name: "room", Test: testEraseRoom,
			Sentence: "The leases of an erased event no longer count against the limits of Claim."},
		{Name: "key", Test: testEraseKey,
			Sentence: "A delivery that was erased lets the next of its Key go."},
		{Name: "requeue", Test: testEraseRequeue,
			Sentence: "Requeue passes over deliveries of erased events."},
		{Name: "enqueue", Test: testEraseEnqueue,
			Sentence: "Enqueueing the ID of an erased event again changes nothing, whatever the content."},
		{Name: "again", Test: testEraseAgain,
			Sentence: "Events that were erased already are not counted."},
		{Name: "not-found", Test: testEraseNotFound,
			Sentence: "Erase: ErrNotFound when EventID names none that is stored."},
		{Name: "tenant", Test: testEraseTenant,
			Sentence: "Without an EventID Erase takes all events of the tenant and none of another."},
		{Name: "steps", Test: testEraseSteps,
			Sentence: "Erase takes one step, of at most Limit events, and returns the cursor for the next, \"\" after " +
				"the last."},
		{Name: "prune", Test: testErasePrune,
			Sentence: "Erased events are pruned as others are, and then not known any more."},
	}
}

func testErase(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	c.Publish(2)
	c.Each(4, func(cl store.Claim) store.Outcome { return check.Failed(cl, 0) })
	claims := c.Claim(4)
	for _, cl := range claims {
		c.Counts(check.Delivered(cl))
	}
	gone := claims[0].EventID
	before := make(map[store.Lease][]store.Attempt)
	deliveries := c.Everything()
	for _, cl := range claims {
		before[cl.Lease] = c.Attempts(cl.Lease)
	}
	c.EraseOne(gone)
	for l, want := range before {
		got := c.Attempts(l)
		if len(got) != len(want) {
			c.Fatalf("attempts of %s: got %d, want %d", l.EventID, len(got), len(want))
		}
		for i := range want {
			if l.EventID == gone {
				want[i].Response = nil
			}
			c.SameAttempt("an attempt of "+l.EventID, got[i], want[i])
		}
	}
	after := c.Everything()
	c.SameIDs("deliveries", check.Listed(after), check.Listed(deliveries))
	for i, want := range deliveries {
		want.Erased = want.EventID == gone
		c.SameDelivery("delivery", after[i], want)
	}
}

func testEraseSaysSo(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(8)
	claims := c.Claim(6)
	c.Finish(check.Delivered(claims[0]), check.Delivered(claims[1]), check.Dead(claims[2]), check.Dead(claims[3]))
	c.Each(2, func(cl store.Claim) store.Outcome { return check.Canceled(cl, "filtered") })
	gone := []string{claims[0].EventID, claims[2].EventID, claims[4].EventID, ids[6]}
	for _, id := range gone {
		c.EraseOne(id)
	}
	for _, d := range c.Everything() {
		if want := slices.Contains(gone, d.EventID); d.Erased != want {
			c.Errorf("Erased of a %s delivery: got %t, want %t", d.State, d.Erased, want)
		}
	}
}

func testErasePending(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	c.Counts(check.Failed(c.ClaimOne(), 0))
	before := c.Health(sub.ID)
	for i, id := range ids {
		c.EraseOne(id)
		d := c.State(store.Lease{SubscriptionID: sub.ID, EventID: id}, store.Canceled)
		check.Equal(c, "LastError", d.LastError, "erased")
		check.Equal(c, "Attempts", d.Attempts, []int{1, 1, 0}[i])
		if d.FinishedAt.IsZero() || !d.DueAt.IsZero() {
			c.Errorf("times of a canceled one: got FinishedAt %v and DueAt %v", d.FinishedAt, d.DueAt)
		}
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Wait", c.Wait(), store.NoneDue)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
	check.Equal(c, "health", check.SameClock(c.Health(sub.ID)), check.SameClock(before))
}

func testEraseFinished(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	claims := c.Claim(3)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]))
	c.Unsubscribe(sub.ID, "answered 410")
	before := c.Everything()
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{}), len(ids))
	after := c.Everything()
	for i, want := range before {
		want.Erased = true
		c.SameDelivery("delivery", after[i], want)
	}
}

func testEraseLeases(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	claims := c.Claim(2)
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{}), len(ids))
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	cl := claims[0]
	c.Ignored(check.WithBody(check.Failed(cl, 0), "its own"))
	c.Ignored(check.Dead(cl))
	c.Ignored(check.Canceled(cl, "filtered"))
	c.Release(cl)
	check.Equal(c, "LastError", c.State(cl.Lease, store.Canceled).LastError, "erased")
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	c.Counts(check.Delivered(cl))
	check.Equal(c, "LastError", c.State(cl.Lease, store.Delivered).LastError, "")
	want := check.Attempt(cl, 200, "")
	want.Response = nil
	attempts := c.Attempts(cl.Lease)
	if len(attempts) != 1 {
		c.Fatalf("attempts: got %d, want 1", len(attempts))
	}
	want.At = attempts[0].At
	c.SameAttempt("the late success", attempts[0], want)
	c.State(claims[1].Lease, store.Canceled)
}

func testEraseRoom(c *check.Driver) {
	c.Subscribe()
	c.Publish(4)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	first := c.ClaimWith(req).Claims
	check.Equal(c, "claims", len(first), 2)
	for _, cl := range first {
		c.EraseOne(cl.EventID)
	}
	check.Equal(c, "claims once those are erased", len(c.ClaimWith(req).Claims), 2)
}

func testEraseKey(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k", "k")
	c.Next("the first", ids[0])
	c.EraseOne(ids[1])
	c.EraseOne(ids[0])
	c.Counts(check.Failed(c.Next("after those that are erased", ids[2]), c.Long))
	c.EraseOne(ids[2])
	c.Next("after one that waited for a retry", ids[3])
}

func testEraseNotFound(c *check.Driver) {
	c.Subscribe("message.created")
	c.Publish(1)
	for _, id := range []string{"nobody-knows-it", c.PublishTo("not.wanted", 1)[0]} {
		_, _, err := c.Store.Erase(c.Ctx, store.EraseQuery{EventID: id})
		c.Is("Erase of "+id, err, store.ErrNotFound)
	}
	check.Equal(c, "events of nobody", c.Erase(store.EraseQuery{Tenant: "nobody"}), 0)
	check.Equal(c, "claims", len(c.Claim(10)), 1)
}

func testEraseTenant(c *check.Driver) {
	mine := make(map[string][]string)
	for _, tenant := range []string{"", "one", "two"} {
		sub := c.NewSub()
		sub.Tenant = tenant
		c.Create(sub)
		evs := c.Messages(3)
		for i := range evs {
			evs[i].Tenant = tenant
		}
		c.Enqueue(evs...)
		mine[tenant] = check.EventIDs(evs)
	}
	c.Each(9, func(cl store.Claim) store.Outcome { return check.Failed(cl, 0) })
	check.Equal(c, "events erased of a tenant", c.Erase(store.EraseQuery{Tenant: "one", Limit: 2}), 3)
	for tenant, ids := range mine {
		ds := c.Deliveries(store.DeliveryQuery{Tenant: tenant})
		check.Equal(c, "deliveries of tenant "+tenant, len(ds), len(ids))
		for _, d := range ds {
			response := c.Attempts(store.Lease{SubscriptionID: d.SubscriptionID, EventID: d.EventID})[0].Response
			if want := tenant == "one"; want != (d.State == store.Canceled) || want != (len(response) == 0) {
				c.Errorf("of tenant %q: got %s and response %q", tenant, d.State, response)
			}
		}
	}
	byID := store.EraseQuery{EventID: mine["two"][0], Tenant: "one", Cursor: "not looked at"}
	check.Equal(c, "events erased by their ID, whatever the tenant", c.Erase(byID), 1)
	check.Equal(c, "events erased of the tenant without a name", c.Erase(store.EraseQuery{}), 3)
	check.Equal(c, "claims of what is left", len(c.Claim(10)), 2)
}

func testEraseSteps(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(7)
	other := c.NewSub()
	other.Tenant = "another"
	c.Create(other)
	ev := c.Event("message.created")
	ev.Tenant = "another"
	c.Enqueue(ev)
	cursor := ""
	for step := range 4 {
		n, next, err := c.Store.Erase(c.Ctx, store.EraseQuery{Limit: 2, Cursor: cursor})
		c.Must("Erase", err)
		check.Equal(c, "events erased in a step", n, []int{2, 2, 2, 1}[step])
		check.Equal(c, "events erased so far", c.InState(store.Canceled), min(2*(step+1), len(ids)))
		if (step == 3) != (next == "") {
			c.Errorf("cursor after step %d of 4: got %q", step+1, next)
		}
		cursor = next
	}
	c.SameIDs("claims of what is left", check.Claimed(c.Claim(10)), []string{ev.ID})
}
