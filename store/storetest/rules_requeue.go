package storetest

import (
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func requeueRules() []rule {
	return []rule{
		{name: "in-order", test: testRequeueInOrder,
			rule: "What was requeued is claimed in the order of Enqueue, in however many steps it was."},
		{name: "in-order-since", test: testRequeueSince, days: true,
			rule: "Requeue takes what was enqueued in the time that was asked for, and reads nothing else."},
		{name: "pending-again", test: testRequeue,
			rule: "Requeue makes deliveries pending and due at once, with Claim.Retry at zero and their attempts " +
				"kept."},
		{name: "finished-only", test: testRequeueFinishedOnly,
			rule: "If States is empty, Requeue takes deliveries in any state but Pending."},
		{name: "selects", test: testRequeueSelects,
			rule: "Requeue takes only deliveries that match, of the tenant that is asked for."},
		{name: "not-subscribed", test: testRequeueNotSubscribed,
			rule: "Deliveries of a subscription that is not Subscribed are passed over."},
		{name: "disabled", test: testRequeueDisabled,
			rule: "What was canceled while the subscription was disabled can be replayed once it is subscribed again."},
		{name: "waiting", test: testRequeueWaiting,
			rule: "When States names Pending, deliveries that wait for a retry are made due at once; they count, " +
				"and keep their Retry."},
		{name: "leased", test: testRequeueLeased,
			rule: "Requeue leaves leased deliveries alone."},
		{name: "steps", test: testRequeueSteps,
			rule: "Requeue takes one step, oldest first: at most Limit, and a cursor for the next step, \"\" after " +
				"the last."},
		{name: "hold", test: testRequeueHold,
			rule: "Requeue ends the hold of the subscriptions of all that match, and changes their health in nothing else."},
		{name: "hold-of-others", test: testRequeueHoldOfOthers,
			rule: "Requeue leaves subscriptions held of which nothing matches."},
		{name: "history", test: testRequeueHistory,
			rule: "Attempts are numbered over the whole life of the delivery, redeliveries included."},
	}
}

func testRequeue(c *check) {
	c.subscribe()
	for _, finish := range []func(store.Claim) store.Outcome{delivered, dead} {
		c.publish(1)
		c.counts(failed(c.claimOne(), 0))
		c.counts(finish(c.claimOne()))
	}
	n := c.requeue(store.DeliveryQuery{})
	equal(c, "requeued", n, 2)
	for _, d := range c.everything() {
		equal(c, "state", d.State, store.Pending)
		equal(c, "Attempts", d.Attempts, 2)
		c.near("DueAt", d.DueAt, time.Now())
		if !d.FinishedAt.IsZero() {
			c.errorf("FinishedAt: got %v, want zero", d.FinishedAt)
		}
	}
	equal(c, "Pending", c.stats("").Pending, 2)
	claims := c.claim(10)
	equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		equal(c, "Retry", cl.Retry, 0)
		equal(c, "Attempt", cl.Attempt, len(c.attempts(cl.Lease))+1)
	}
}

func testRequeueFinishedOnly(c *check) {
	c.subscribe()
	c.publish(4)
	claims := c.claim(3)
	c.finish(delivered(claims[0]), dead(claims[1]), failed(claims[2], c.long))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 2)
	equal(c, "claims, the fresh one included", len(c.claim(10)), 3)
}

func testRequeueSelects(c *check) {
	for _, tenant := range []string{"", "one"} {
		sub := c.newSub()
		sub.Tenant = tenant
		c.create(sub)
		for _, eventType := range []string{"a.b", "a.c"} {
			ev := c.event(eventType)
			ev.Tenant = tenant
			c.enqueue(ev)
		}
	}
	for _, cl := range c.claim(10) {
		if cl.EventType == "a.b" {
			c.counts(dead(cl))
		} else {
			c.counts(delivered(cl))
		}
	}
	equal(c, "requeued of nobody", c.requeue(store.DeliveryQuery{Tenant: "two"}), 0)
	equal(c, "requeued of a tenant's type", c.requeue(store.DeliveryQuery{Tenant: "one", EventType: "a.b"}), 1)
	for _, d := range c.everything() {
		if want := d.Tenant == "one" && d.EventType == "a.b"; want != (d.State == store.Pending) {
			c.errorf("%s of tenant %q: got %s", d.EventType, d.Tenant, d.State)
		}
	}
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Delivered}}
	equal(c, "requeued of delivered ones", c.requeue(q), 2)
	equal(c, "requeued of one tenant", c.requeue(store.DeliveryQuery{}), 1)
}

func testRequeueNotSubscribed(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(2)
	for _, cl := range c.claim(10) {
		c.counts(dead(cl))
	}
	c.unsubscribe(sub.ID, "")
	equal(c, "requeued", c.requeue(store.DeliveryQuery{Limit: 1}), 2)
	for _, d := range c.everything() {
		if want := d.SubscriptionID == other.ID; want != (d.State == store.Pending) {
			c.errorf("of the other subscription: %t: got %s", want, d.State)
		}
	}
	claims := c.claim(10)
	equal(c, "claims", len(claims), 2)
	equal(c, "claims of the other", perSubscription(claims)[other.ID], 2)
}

func testRequeueDisabled(c *check) {
	sub := c.subscribe()
	before := c.publish(1)
	c.unsubscribe(sub.ID, "answered 410")
	ids := append(before, c.publish(2)...)
	c.resubscribe(sub.ID)
	equal(c, "requeued", c.requeue(store.DeliveryQuery{States: []store.State{store.Canceled}}), 3)
	claims := c.claim(10)
	equal(c, "claims", len(claims), len(ids))
	for _, cl := range claims {
		equal(c, "LastError of one that waits for its first attempt", c.state(cl.Lease, store.Pending).LastError, "")
		equal(c, "Attempt", cl.Attempt, 1)
		c.counts(delivered(cl))
		c.state(cl.Lease, store.Delivered)
	}
}

func testRequeueWaiting(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(failed(c.claimOne(), 0))
	c.counts(failed(c.claimOne(), c.long))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{States: []store.State{store.Pending}}), 1)
	cl := c.claimOne()
	equal(c, "Retry", cl.Retry, 2)
	equal(c, "Attempt", cl.Attempt, 3)
}

func testRequeueLeased(c *check) {
	c.subscribe()
	c.publish(2)
	c.counts(failed(c.claimOne(), 0))
	claims := c.claim(10)
	equal(c, "claims", len(claims), 2)
	equal(c, "requeued", c.requeue(store.DeliveryQuery{States: store.States()}), 0)
	equal(c, "claims while they are leased", len(c.claim(10)), 0)
	for _, cl := range claims {
		c.counts(delivered(cl))
	}
}

func testRequeueSteps(c *check) {
	c.subscribe()
	ids := c.publish(7)
	for _, cl := range c.claim(10) {
		c.counts(dead(cl))
	}
	cursor, total := "", 0
	for step := range 4 {
		n, next, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Limit: 2, Cursor: cursor})
		c.must("Requeue", err)
		total += n
		want := min(2*(step+1), len(ids))
		pending := c.deliveries(store.DeliveryQuery{States: []store.State{store.Pending}})
		oldest := slices.Clone(ids[:want])
		slices.Reverse(oldest) // as a listing has them
		equal(c, "requeued so far", total, want)
		c.sameIDs("pending so far", listed(pending), oldest)
		if (step == 3) != (next == "") {
			c.errorf("cursor after step %d of 4: got %q", step+1, next)
		}
		cursor = next
	}
	got := make(map[string]int)
	for _, cl := range c.claim(100) {
		got[cl.EventID]++
	}
	want := make(map[string]int)
	for _, id := range ids {
		want[id] = 1
	}
	if !maps.Equal(got, want) {
		c.errorf("claims: got %v, want each once", got)
	}
}

func testRequeueHistory(c *check) {
	c.subscribe()
	c.publish(1)
	var cl store.Claim
	for range 3 {
		c.counts(failed(c.claimOne(), 0))
		cl = c.claimOne()
		c.counts(delivered(cl))
		equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 1)
	}
	attempts := c.attempts(cl.Lease)
	equal(c, "attempts", len(attempts), 6)
	for i, a := range attempts {
		equal(c, "Number", a.Number, i+1)
		equal(c, "Status", a.Status, []int{500, 200}[i%2])
	}
	d := c.state(cl.Lease, store.Pending)
	equal(c, "Attempts", d.Attempts, 6)
	equal(c, "LastStatus", d.LastStatus, 200)
	equal(c, "LastError", d.LastError, "")
}

func testRequeueHold(c *check) {
	for name, q := range map[string]store.DeliveryQuery{
		"what is dead":             {States: []store.State{store.Dead}},
		"what waits for a retry":   {States: []store.State{store.Pending}, EventType: "a.retry"},
		"what is due already":      {States: []store.State{store.Pending}, EventType: "a.due"},
		"what somebody has leased": {States: []store.State{store.Pending}, EventType: "a.leased"},
	} {
		sub := c.subscribe()
		for _, eventType := range []string{"a.dead", "a.retry", "a.leased", "a.due"} {
			c.publishTo(eventType, 1)
		}
		claims := c.claim(3)
		c.finish(failed(claims[1], c.long))
		last := dead(claims[0])
		last.Probe = probeIn(c.long)
		c.counts(last)
		equal(c, name+": claims while held", len(c.claim(10)), 0)
		q.SubscriptionID = sub.ID
		c.requeue(q)
		want := c.health(sub.ID)
		if want.Failures != 2 || want.Probes != 1 || !want.NextProbeAt.IsZero() {
			c.errorf("%s: health: got %+v, want 2 Failures, 1 Hold, and not to be held", name, want)
		}
		if got := len(c.claim(10)); got == 0 {
			c.errorf("%s: got no claims, want what is due", name)
		}
		c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	}
}

func testRequeueHoldOfOthers(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(1)
	for _, cl := range c.claim(2) {
		c.counts(held(cl, 0, c.long))
	}
	for _, q := range []store.DeliveryQuery{
		{SubscriptionID: other.ID, States: []store.State{store.Pending}},
		{SubscriptionID: sub.ID, States: []store.State{store.Dead}},
		{SubscriptionID: sub.ID, States: []store.State{store.Pending}, Until: time.Now().Add(-c.long)},
	} {
		c.requeue(q)
	}
	for _, cl := range c.claim(10) {
		equal(c, "claimed of", cl.SubscriptionID, other.ID)
	}
	if c.health(sub.ID).NextProbeAt.IsZero() {
		c.errorf("NextProbeAt: got zero, want it held as before")
	}
}

func testRequeueInOrder(c *check) {
	sub := c.subscribe()
	ids := c.publish(23)
	for i, cl := range c.claim(len(ids)) {
		if i%3 == 0 { // some have been tried before
			c.counts(failed(cl, 0))
			cl = c.claimOne()
		}
		c.counts(delivered(cl))
	}
	q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: 4}
	var got []string
	for step := 0; ; step++ {
		n, next, err := c.store.Requeue(c.ctx, q)
		c.must("Requeue", err)
		if step < 5 {
			equal(c, "requeued in a step", n, 4)
		}
		if next == "" {
			break
		}
		if step == 2 { // what is claimed meanwhile is the oldest
			got = claimed(c.claim(5))
		}
		q.Cursor = next
	}
	c.sameIDs("claims of what was requeued", append(got, claimed(c.claim(100))...), ids)
}

func testRequeueSince(c *check) {
	sub := c.subscribe()
	var ids []string
	var times []time.Time
	for range 6 {
		times = append(times, time.Now().Add(-time.Minute))
		ids = append(ids, c.publish(2)...)
		for _, cl := range c.claim(2) {
			c.counts(delivered(cl))
		}
		c.pass(time.Hour)
	}
	for _, tc := range []struct{ since, until, limit int }{{2, 4, 1}, {0, 3, 3}, {5, 0, 2}, {3, 0, 100}} {
		q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: tc.limit, Since: times[tc.since]}
		want := ids[2*tc.since:]
		if tc.until > 0 {
			q.Until, want = times[tc.until], ids[2*tc.since:2*tc.until]
		}
		equal(c, "requeued", c.requeue(q), len(want))
		claims := c.claim(100)
		c.sameIDs("claims of what was requeued", claimed(claims), want)
		for _, cl := range claims {
			c.counts(delivered(cl))
		}
	}
}
