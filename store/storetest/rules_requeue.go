package storetest

import (
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func requeueRules() []rule {
	return []rule{
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
			rule: "Requeue takes one step of a listing: at most Limit, and a cursor for the next step, \"\" after " +
				"the last."},
		{name: "held", test: testRequeueHeld,
			rule: "Requeue names each held subscription of which something matches once, and leaves it held."},
		{name: "held-met", test: testRequeueHeldMet,
			rule: "Requeue names those of which only due or leased deliveries match too."},
		{name: "held-others", test: testRequeueHeldOthers,
			rule: "Requeue does not name those whose hold is over, of which nothing matches, or that are passed over."},
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
		r, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Limit: 2, Cursor: cursor})
		c.must("Requeue", err)
		next := r.Next
		total += r.Requeued
		want := min(2*(step+1), len(ids))
		pending := c.deliveries(store.DeliveryQuery{States: []store.State{store.Pending}})
		newest := slices.Clone(ids[len(ids)-want:])
		slices.Reverse(newest)
		equal(c, "requeued so far", total, want)
		c.sameIDs("pending so far", listed(pending), newest)
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

// hold has n deliveries of each subscription, of which one is dead with a hold, and the others are
// pending.
func (c *check) hold(n int, d time.Duration) (subs map[string]store.Health) {
	c.publish(n)
	subs = make(map[string]store.Health)
	var rest []store.Claim
	for _, cl := range c.claim(1000) {
		if _, held := subs[cl.SubscriptionID]; held {
			rest = append(rest, cl)
			continue
		}
		o := dead(cl)
		o.ProbeIn = d
		subs[cl.SubscriptionID] = c.counts(o).After
	}
	c.release(rest...)
	return subs
}

// held checks which subscriptions a step of Requeue says are held.
func (c *check) held(what string, q store.DeliveryQuery, want ...string) {
	r, err := c.store.Requeue(c.ctx, q)
	c.must("Requeue", err)
	slices.Sort(r.Held)
	slices.Sort(want)
	if !slices.Equal(r.Held, want) {
		c.errorf("Held of %s: got %v, want %v", what, r.Held, want)
	}
}

func testRequeueHeld(c *check) {
	a, b := c.subscribe(), c.subscribe()
	health := c.hold(3, c.long)
	c.held("all that is finished", store.DeliveryQuery{}, a.ID, b.ID)
	c.held("nothing", store.DeliveryQuery{})
	for id, h := range health {
		got := c.health(id)
		equal(c, "Failures", got.Failures, h.Failures)
		equal(c, "Probes", got.Probes, h.Probes)
		c.near("NextProbeAt", got.NextProbeAt, h.NextProbeAt)
	}
	equal(c, "claims while they are held", len(c.claim(100)), 0)
	c.held("a step of one", store.DeliveryQuery{States: store.States(), Limit: 1, SubscriptionID: a.ID}, a.ID)
	c.held("all", store.DeliveryQuery{States: store.States()}, a.ID, b.ID)
}

func testRequeueHeldMet(c *check) {
	sub := c.subscribe()
	ids := c.publish(3)
	claims := c.claim(2)
	c.counts(held(claims[0], c.long, c.long))
	leased, due := ids[1], ids[2]
	for _, id := range []string{leased, due} {
		q := store.DeliveryQuery{EventID: id, States: []store.State{store.Pending}}
		equal(c, "requeued", c.requeue(q), 0)
		c.held("one that is due or leased", q, sub.ID)
	}
	c.held("one that waits for a retry", store.DeliveryQuery{EventID: ids[0], States: store.States()}, sub.ID)
	c.counts(delivered(claims[1]))
	c.held("one that a success let go", store.DeliveryQuery{States: store.States()})
}

func testRequeueHeldOthers(c *check) {
	a, b := c.subscribe(), c.subscribe()
	c.hold(2, c.long)
	c.held("one of two", store.DeliveryQuery{SubscriptionID: a.ID}, a.ID)
	c.held("an event that is not there", store.DeliveryQuery{EventID: "none", States: store.States()})
	c.unsubscribe(b.ID, "")
	c.held("all, one of them unsubscribed", store.DeliveryQuery{States: store.States()}, a.ID)
	c.must("ProbeNow", c.store.ProbeNow(c.ctx, a.ID))
	c.held("one that is to be probed", store.DeliveryQuery{States: store.States()})
	c.update(a.ID, func(s *store.Subscription) { s.URL += "/new" })
	c.hold(1, c.short)
	c.pass(c.short)
	c.held("one whose hold is over", store.DeliveryQuery{States: store.States()})
}

func probeNowRules() []rule {
	return []rule{
		{name: "ends", test: testProbeNow,
			rule: "ProbeNow ends the holds of the subscriptions that it names, and changes their health in nothing else."},
		{name: "others", test: testProbeNowOthers,
			rule: "ProbeNow leaves others held, and ignores IDs that are unknown and subscriptions that are not held."},
	}
}

func testProbeNow(c *check) {
	a, b := c.subscribe(), c.subscribe()
	health := c.hold(2, c.long)
	equal(c, "claims while they are held", len(c.claim(100)), 0)
	c.must("ProbeNow", c.store.ProbeNow(c.ctx, a.ID, b.ID))
	for id, want := range health {
		want.NextProbeAt = time.Time{}
		equal(c, "health", c.health(id), want)
	}
	got := perSubscription(c.claim(100))
	equal(c, "claims of the first", got[a.ID], 1)
	equal(c, "claims of the second", got[b.ID], 1)
}

func testProbeNowOthers(c *check) {
	a, b := c.subscribe(), c.subscribe()
	c.hold(2, c.long)
	for range 2 {
		c.must("ProbeNow", c.store.ProbeNow(c.ctx, a.ID, c.newSub().ID, ""))
	}
	c.must("ProbeNow of nothing", c.store.ProbeNow(c.ctx))
	claims := c.claim(100)
	equal(c, "claims of the one that is probed", perSubscription(claims)[a.ID], 1)
	equal(c, "claims of the one that is held", perSubscription(claims)[b.ID], 0)
	healthy := c.counts(delivered(claims[0])).After
	c.must("ProbeNow", c.store.ProbeNow(c.ctx, a.ID))
	equal(c, "health of one that is not held", c.health(a.ID), healthy)
}
