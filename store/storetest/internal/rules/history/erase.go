package history

import (
	"encoding/json"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func eraseRules() []check.Rule {
	return []check.Rule{
		{Name: "responses", Test: testErase,
			Sentence: "Erase removes every Response and Detail of the event's deliveries; " +
				"deliveries and attempts stay otherwise."},
		{Name: "says-so", Test: testEraseSaysSo,
			Sentence: "Deliveries of an erased event are Erased, in every state, and no others " +
				"are."},
		{Name: "pending", Test: testErasePending,
			Sentence: "Pending deliveries of an erased event become Canceled with \"erased\" as " +
				"their LastError."},
		{Name: "finished", Test: testEraseFinished,
			Sentence: "Finished deliveries of an erased event keep their state, LastStatus and " +
				"LastError."},
		{Name: "leases", Test: testEraseLeases,
			Sentence: "Leases of an erased event are void; a success still ends its delivery as " +
				"Delivered, without a Response and a Detail."},
		{Name: "room", Test: testEraseRoom,
			Sentence: "The leases of an erased event no longer count against the limits of Claim."},
		{Name: "key", Test: testEraseKey,
			Sentence: "An erased delivery no longer blocks the next of its Key."},
		{Name: "requeue", Test: testEraseRequeue,
			Sentence: "Requeue skips deliveries of erased events."},
		{Name: "enqueue", Test: testEraseEnqueue,
			Sentence: "Enqueueing the ID of an erased event of the tenant again changes " +
				"nothing, with the same content or another."},
		{Name: "again", Test: testEraseAgain,
			Sentence: "Events that were erased already are not counted."},
		{Name: "not-found", Test: testEraseNotFound,
			Sentence: "Erase returns ErrNotFound if EventID names no stored event of the Tenant."},
		{Name: "tenant", Test: testEraseTenant,
			Sentence: "Without an EventID Erase takes all events of the tenant and none of " +
				"another."},
		{Name: "steps", Test: testEraseSteps,
			Sentence: "Erase takes one step, of at most Limit events, and returns the cursor " +
				"for the next, \"\" after the last."},
		{Name: "prune", Test: testErasePrune,
			Sentence: "Erased events are pruned like others; then their IDs are free."},
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
				want[i].Response, want[i].Detail = nil, nil
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
	c.Finish(check.Delivered(claims[0]), check.Delivered(claims[1]), check.Dead(claims[2]),
		check.Dead(claims[3]))
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
			c.Errorf("times of a canceled one: got FinishedAt %v and DueAt %v", d.FinishedAt,
				d.DueAt)
		}
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "NextDue", c.NextDue(), store.NoneDue)
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
	want.Response, want.Detail = nil, nil
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
		_, _, err := c.Store.Erase(c.Ctx(), store.EraseQuery{EventID: id})
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
	check.Equal(c, "events erased of a tenant", c.Erase(store.EraseQuery{Tenant: "one", Limit: 2}),
		3)
	for tenant, ids := range mine {
		ds := c.Deliveries(store.DeliveryQuery{Tenant: tenant})
		check.Equal(c, "deliveries of tenant "+tenant, len(ds), len(ids))
		for _, d := range ds {
			response := c.Attempts(store.Lease{SubscriptionID: d.SubscriptionID,
				EventID: d.EventID})[0].Response
			if want := tenant == "one"; want != (d.State == store.Canceled) ||
				want != (len(response) == 0) {
				c.Errorf("of tenant %q: got %s and response %q", tenant, d.State, response)
			}
		}
	}
	byID := store.EraseQuery{EventID: mine["two"][0], Tenant: "two", Cursor: "not looked at"}
	check.Equal(c, "events erased by their ID", c.Erase(byID), 1)
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
		n, next, err := c.Store.Erase(c.Ctx(), store.EraseQuery{Limit: 2, Cursor: cursor})
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

// Erased events in later calls.

func testEraseRequeue(c *check.Driver) {
	sub := c.Subscribe()
	disabled := c.Subscribe()
	c.Unsubscribe(disabled.ID, "answered 410")
	ids := c.Publish(5)
	outcomes := []func(store.Claim) store.Outcome{check.Delivered, check.Dead, check.Delivered}
	for i, finish := range outcomes {
		cl := c.ClaimOne()
		c.SameIDs("claims", []string{cl.EventID}, ids[i:i+1])
		c.Counts(finish(cl))
	}
	c.ClaimOne()
	for _, i := range []int{0, 1, 3, 4} {
		c.EraseOne(ids[i])
	}
	c.Resubscribe(disabled.ID)
	check.Equal(c, "requeued, with a limit", c.Requeue(store.DeliveryQuery{Limit: 1}), 2)
	check.Equal(c, "requeued of all states",
		c.Requeue(store.DeliveryQuery{States: store.States(), EventID: ids[3]}), 0)
	claims := c.Claim(10)
	c.SameIDs("claims", check.Claimed(claims), []string{ids[2], ids[2]})
	check.Equal(c, "claims of the one", check.PerSubscription(claims)[sub.ID], 1)
}

func testEraseEnqueue(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	other := ev
	other.Payload = json.RawMessage(`"other content"`)
	c.Enqueue(ev)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.EraseOne(ev.ID)
	before := c.Everything()
	late := c.Subscribe()
	fresh := c.Event("message.created")
	c.Must("Enqueue of the same content", c.Store.Enqueue(c.Ctx(), ev))
	c.Must("Enqueue of other content", c.Store.Enqueue(c.Ctx(), other, fresh))
	other.Type, other.Key = "another.type", "k"
	c.Must("Enqueue of another type", c.Store.Enqueue(c.Ctx(), other))
	after := c.Deliveries(store.DeliveryQuery{EventID: ev.ID})
	if len(after) != 1 {
		c.Fatalf("deliveries: got %d, want 1", len(after))
	}
	c.SameDelivery("delivery", after[0], before[0])
	check.Equal(c, "Pending for one subscribed later: only another event", c.Stats(late.ID).Pending,
		1)
	for _, cl := range c.Claim(10) {
		check.Equal(c, "claim", cl.EventID, fresh.ID)
	}
}

func testEraseAgain(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(3)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.EraseOne(ids[1])
	before := c.Delivery("", ids[1])
	check.Equal(c, "events erased again", c.Erase(store.EraseQuery{EventID: ids[1]}), 0)
	check.Equal(c, "events erased of all", c.Erase(store.EraseQuery{Limit: 1}), 2)
	check.Equal(c, "events erased of all again", c.Erase(store.EraseQuery{}), 0)
	c.SameDelivery("delivery", c.Delivery("", ids[1]), before)
}

func testErasePrune(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(2)
	c.Enqueue(evs...)
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{}), 2)
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	_, _, err := c.Store.Erase(c.Ctx(), store.EraseQuery{EventID: evs[0].ID})
	c.Is("Erase of a pruned one", err, store.ErrNotFound)
	evs[0].Payload = json.RawMessage(`"other content"`)
	c.Enqueue(evs...)
	check.Equal(c, "claims once they are not known any more", len(c.Claim(10)), 2)
}
