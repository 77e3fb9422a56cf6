package storetest

import (
	"slices"

	"github.com/outhook/outhook/store"
)

func eraseRules() []rule {
	return []rule{
		{name: "responses", test: testErase,
			rule: "Erase removes every Response of the event's deliveries; deliveries and attempts stay otherwise."},
		{name: "says-so", test: testEraseSaysSo,
			rule: "Deliveries of an erased event are Erased, in every state, and no others are."},
		{name: "pending", test: testErasePending,
			rule: "Pending deliveries of an erased event become Canceled with \"erased\" as their LastError."},
		{name: "finished", test: testEraseFinished,
			rule: "Deliveries of an erased event that are over stay in their state, with what they say."},
		{name: "leases", test: testEraseLeases,
			rule: "Leases of an erased event are void; a success still ends its delivery as Delivered, without a " +
				"Response."},
		{name: "room", test: testEraseRoom,
			rule: "The leases of an erased event no longer count against the limits of Claim."},
		{name: "key", test: testEraseKey,
			rule: "A delivery that was erased lets the next of its Key go."},
		{name: "requeue", test: testEraseRequeue,
			rule: "Requeue passes over deliveries of erased events."},
		{name: "enqueue", test: testEraseEnqueue,
			rule: "Enqueueing the ID of an erased event again changes nothing, whatever the content."},
		{name: "again", test: testEraseAgain,
			rule: "Events that were erased already are not counted."},
		{name: "not-found", test: testEraseNotFound,
			rule: "Erase: ErrNotFound when EventID names none that is stored."},
		{name: "tenant", test: testEraseTenant,
			rule: "Without an EventID Erase takes all events of the tenant and none of another."},
		{name: "steps", test: testEraseSteps,
			rule: "Erase takes one step, of at most Limit events, and returns the cursor for the next, \"\" after " +
				"the last."},
		{name: "prune", test: testErasePrune,
			rule: "Erased events are pruned as others are, and then not known any more."},
	}
}

// erase erases all that q selects and returns how many events changed.
func (c *check) erase(q store.EraseQuery) int {
	total := 0
	for range maxPages {
		n, next, err := c.store.Erase(c.ctx, q)
		c.must("Erase", err)
		total += n
		if next == "" {
			return total
		}
		q.Cursor = next
	}
	c.fatalf("Erase: it never ends")
	return 0
}

// eraseOne erases one event.
func (c *check) eraseOne(id string) {
	equal(c, "events erased", c.erase(store.EraseQuery{EventID: id}), 1)
}

func testErase(c *check) {
	c.subscribe()
	c.subscribe()
	c.publish(2)
	c.each(4, func(cl store.Claim) store.Outcome { return failed(cl, 0) })
	claims := c.claim(4)
	for _, cl := range claims {
		c.counts(delivered(cl))
	}
	gone := claims[0].EventID
	before := make(map[store.Lease][]store.Attempt)
	deliveries := c.everything()
	for _, cl := range claims {
		before[cl.Lease] = c.attempts(cl.Lease)
	}
	c.eraseOne(gone)
	for l, want := range before {
		got := c.attempts(l)
		if len(got) != len(want) {
			c.fatalf("attempts of %s: got %d, want %d", l.EventID, len(got), len(want))
		}
		for i := range want {
			if l.EventID == gone {
				want[i].Response = nil
			}
			c.sameAttempt("an attempt of "+l.EventID, got[i], want[i])
		}
	}
	after := c.everything()
	c.sameIDs("deliveries", listed(after), listed(deliveries))
	for i, want := range deliveries {
		want.Erased = want.EventID == gone
		c.sameDelivery("delivery", after[i], want)
	}
}

func testEraseSaysSo(c *check) {
	c.subscribe()
	ids := c.publish(8)
	claims := c.claim(6)
	c.finish(delivered(claims[0]), delivered(claims[1]), dead(claims[2]), dead(claims[3]))
	c.each(2, func(cl store.Claim) store.Outcome { return canceled(cl, "filtered") })
	gone := []string{claims[0].EventID, claims[2].EventID, claims[4].EventID, ids[6]}
	for _, id := range gone {
		c.eraseOne(id)
	}
	for _, d := range c.everything() {
		if want := slices.Contains(gone, d.EventID); d.Erased != want {
			c.errorf("Erased of a %s delivery: got %t, want %t", d.State, d.Erased, want)
		}
	}
}

func testErasePending(c *check) {
	sub := c.subscribe()
	ids := c.publish(3)
	c.counts(failed(c.claimOne(), c.long))
	c.counts(failed(c.claimOne(), 0))
	before := c.health(sub.ID)
	for i, id := range ids {
		c.eraseOne(id)
		d := c.state(store.Lease{SubscriptionID: sub.ID, EventID: id}, store.Canceled)
		equal(c, "LastError", d.LastError, "erased")
		equal(c, "Attempts", d.Attempts, []int{1, 1, 0}[i])
		if d.FinishedAt.IsZero() || !d.DueAt.IsZero() {
			c.errorf("times of a canceled one: got FinishedAt %v and DueAt %v", d.FinishedAt, d.DueAt)
		}
	}
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Wait", c.wait(), store.NoneDue)
	equal(c, "Pending", c.stats("").Pending, 0)
	equal(c, "health", sameClock(c.health(sub.ID)), sameClock(before))
}

func testEraseFinished(c *check) {
	sub := c.subscribe()
	ids := c.publish(3)
	claims := c.claim(3)
	c.finish(delivered(claims[0]), dead(claims[1]))
	c.unsubscribe(sub.ID, "answered 410")
	before := c.everything()
	equal(c, "events erased", c.erase(store.EraseQuery{}), len(ids))
	after := c.everything()
	for i, want := range before {
		want.Erased = true
		c.sameDelivery("delivery", after[i], want)
	}
}

func testEraseLeases(c *check) {
	sub := c.subscribe()
	ids := c.publish(2)
	claims := c.claim(2)
	equal(c, "events erased", c.erase(store.EraseQuery{}), len(ids))
	equal(c, "InFlight", c.stats("").InFlight, 0)
	cl := claims[0]
	c.ignored(withBody(failed(cl, 0), "its own"))
	c.ignored(dead(cl))
	c.ignored(canceled(cl, "filtered"))
	c.release(cl)
	equal(c, "LastError", c.state(cl.Lease, store.Canceled).LastError, "erased")
	equal(c, "health", c.health(sub.ID), store.Health{})
	c.counts(delivered(cl))
	equal(c, "LastError", c.state(cl.Lease, store.Delivered).LastError, "")
	want := attempt(cl, 200, "")
	want.Response = nil
	attempts := c.attempts(cl.Lease)
	if len(attempts) != 1 {
		c.fatalf("attempts: got %d, want 1", len(attempts))
	}
	want.At = attempts[0].At
	c.sameAttempt("the late success", attempts[0], want)
	c.state(claims[1].Lease, store.Canceled)
}

func testEraseRoom(c *check) {
	c.subscribe()
	c.publish(4)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	first := c.claimWith(req).Claims
	equal(c, "claims", len(first), 2)
	for _, cl := range first {
		c.eraseOne(cl.EventID)
	}
	equal(c, "claims once those are erased", len(c.claimWith(req).Claims), 2)
}

func testEraseKey(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k", "k")
	c.next("the first", ids[0])
	c.eraseOne(ids[1])
	c.eraseOne(ids[0])
	c.counts(failed(c.next("after those that are erased", ids[2]), c.long))
	c.eraseOne(ids[2])
	c.next("after one that waited for a retry", ids[3])
}

func testEraseNotFound(c *check) {
	c.subscribe("message.created")
	c.publish(1)
	for _, id := range []string{"nobody-knows-it", c.publishTo("not.wanted", 1)[0]} {
		_, _, err := c.store.Erase(c.ctx, store.EraseQuery{EventID: id})
		c.is("Erase of "+id, err, store.ErrNotFound)
	}
	equal(c, "events of nobody", c.erase(store.EraseQuery{Tenant: "nobody"}), 0)
	equal(c, "claims", len(c.claim(10)), 1)
}

func testEraseTenant(c *check) {
	mine := make(map[string][]string)
	for _, tenant := range []string{"", "one", "two"} {
		sub := c.newSub()
		sub.Tenant = tenant
		c.create(sub)
		evs := c.messages(3)
		for i := range evs {
			evs[i].Tenant = tenant
		}
		c.enqueue(evs...)
		mine[tenant] = eventIDs(evs)
	}
	c.each(9, func(cl store.Claim) store.Outcome { return failed(cl, 0) })
	equal(c, "events erased of a tenant", c.erase(store.EraseQuery{Tenant: "one", Limit: 2}), 3)
	for tenant, ids := range mine {
		ds := c.deliveries(store.DeliveryQuery{Tenant: tenant})
		equal(c, "deliveries of tenant "+tenant, len(ds), len(ids))
		for _, d := range ds {
			response := c.attempts(store.Lease{SubscriptionID: d.SubscriptionID, EventID: d.EventID})[0].Response
			if want := tenant == "one"; want != (d.State == store.Canceled) || want != (len(response) == 0) {
				c.errorf("of tenant %q: got %s and response %q", tenant, d.State, response)
			}
		}
	}
	byID := store.EraseQuery{EventID: mine["two"][0], Tenant: "one", Cursor: "not looked at"}
	equal(c, "events erased by their ID, whatever the tenant", c.erase(byID), 1)
	equal(c, "events erased of the tenant without a name", c.erase(store.EraseQuery{}), 3)
	equal(c, "claims of what is left", len(c.claim(10)), 2)
}

func testEraseSteps(c *check) {
	c.subscribe()
	ids := c.publish(7)
	other := c.newSub()
	other.Tenant = "another"
	c.create(other)
	ev := c.event("message.created")
	ev.Tenant = "another"
	c.enqueue(ev)
	cursor := ""
	for step := range 4 {
		n, next, err := c.store.Erase(c.ctx, store.EraseQuery{Limit: 2, Cursor: cursor})
		c.must("Erase", err)
		equal(c, "events erased in a step", n, []int{2, 2, 2, 1}[step])
		equal(c, "events erased so far", c.inState(store.Canceled), min(2*(step+1), len(ids)))
		if (step == 3) != (next == "") {
			c.errorf("cursor after step %d of 4: got %q", step+1, next)
		}
		cursor = next
	}
	c.sameIDs("claims of what is left", claimed(c.claim(10)), []string{ev.ID})
}
