package history

import (
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func requeueRules() []check.Rule {
	return []check.Rule{
		{Name: "in-order", Test: testRequeueInOrder,
			Sentence: "Requeued deliveries are claimed in the order of Enqueue, also if they " +
				"were requeued in several steps."},
		{Name: "in-order-since", Test: testRequeueSince, Days: true,
			Sentence: "Requeue takes what was enqueued in the time that was asked for, and " +
				"reads nothing else."},
		{Name: "pending-again", Test: testRequeue,
			Sentence: "Requeue makes deliveries pending and due at once, with Claim.Retry at " +
				"zero and their attempts kept."},
		{Name: "finished-only", Test: testRequeueFinishedOnly,
			Sentence: "If States is empty, Requeue takes deliveries in any state but Pending."},
		{Name: "selects", Test: testRequeueSelects,
			Sentence: "Requeue takes only deliveries that match, of the tenant that is asked for."},
		{Name: "not-subscribed", Test: testRequeueNotSubscribed,
			Sentence: "Requeue skips deliveries of a subscription that is not Subscribed."},
		{Name: "disabled", Test: testRequeueDisabled,
			Sentence: "What was canceled while the subscription was disabled can be replayed " +
				"once it is subscribed again."},
		{Name: "waiting", Test: testRequeueWaiting,
			Sentence: "When States names Pending, deliveries that wait for a retry are made due " +
				"at once; they count, and keep their Retry."},
		{Name: "leased", Test: testRequeueLeased,
			Sentence: "Requeue leaves leased deliveries alone."},
		{Name: "steps", Test: testRequeueSteps,
			Sentence: "Requeue takes one step, oldest first: at most Limit, and a cursor for " +
				"the next step, \"\" after the last."},
		{Name: "held", Test: testRequeueHeld,
			Sentence: "Held names each held subscription that has a matching delivery, once; it " +
				"stays held."},
		{Name: "held-met", Test: testRequeueHeldMet,
			Sentence: "Held names a held subscription also if its only matching deliveries are " +
				"due or leased."},
		{Name: "held-others", Test: testRequeueHeldOthers,
			Sentence: "Held does not name subscriptions whose hold is over, that have no " +
				"matching delivery, or that Requeue skips."},
		{Name: "history", Test: testRequeueHistory,
			Sentence: "Attempts are numbered over the whole life of the delivery, redeliveries " +
				"included."},
	}
}

func testRequeue(c *check.Driver) {
	c.Subscribe()
	for _, finish := range []func(store.Claim) store.Outcome{check.Delivered, check.Dead} {
		c.Publish(1)
		c.Counts(check.Failed(c.ClaimOne(), 0))
		c.Counts(finish(c.ClaimOne()))
	}
	n := c.Requeue(store.DeliveryQuery{})
	check.Equal(c, "requeued", n, 2)
	for _, d := range c.Everything() {
		check.Equal(c, "state", d.State, store.Pending)
		check.Equal(c, "Attempts", d.Attempts, 2)
		c.Near("DueAt", d.DueAt, time.Now())
		if !d.FinishedAt.IsZero() {
			c.Errorf("FinishedAt: got %v, want zero", d.FinishedAt)
		}
	}
	check.Equal(c, "Pending", c.Stats("").Pending, 2)
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		check.Equal(c, "Retry", cl.Retry, 0)
		check.Equal(c, "Attempt", cl.Attempt, len(c.Attempts(cl.Lease))+1)
	}
}

func testRequeueFinishedOnly(c *check.Driver) {
	c.Subscribe()
	c.Publish(4)
	claims := c.Claim(3)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]), check.Failed(claims[2], c.Long))
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 2)
	check.Equal(c, "claims, the fresh one included", len(c.Claim(10)), 3)
}

func testRequeueSelects(c *check.Driver) {
	for _, tenant := range []string{"", "one"} {
		sub := c.NewSub()
		sub.Tenant = tenant
		c.Create(sub)
		for _, eventType := range []string{"a.b", "a.c"} {
			ev := c.Event(eventType)
			ev.Tenant = tenant
			c.Enqueue(ev)
		}
	}
	for _, cl := range c.Claim(10) {
		if cl.EventType == "a.b" {
			c.Counts(check.Dead(cl))
		} else {
			c.Counts(check.Delivered(cl))
		}
	}
	check.Equal(c, "requeued of nobody", c.Requeue(store.DeliveryQuery{Tenant: "two"}), 0)
	check.Equal(c, "requeued of a tenant's type",
		c.Requeue(store.DeliveryQuery{Tenant: "one", EventType: "a.b"}), 1)
	for _, d := range c.Everything() {
		if want := d.Tenant == "one" && d.EventType == "a.b"; want != (d.State == store.Pending) {
			c.Errorf("%s of tenant %q: got %s", d.EventType, d.Tenant, d.State)
		}
	}
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Delivered}}
	check.Equal(c, "requeued of delivered ones", c.Requeue(q), 2)
	check.Equal(c, "requeued of one tenant", c.Requeue(store.DeliveryQuery{}), 1)
}

func testRequeueNotSubscribed(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(2)
	for _, cl := range c.Claim(10) {
		c.Counts(check.Dead(cl))
	}
	c.Unsubscribe(sub.ID, "")
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{Limit: 1}), 2)
	for _, d := range c.Everything() {
		if want := d.SubscriptionID == other.ID; want != (d.State == store.Pending) {
			c.Errorf("of the other subscription: %t: got %s", want, d.State)
		}
	}
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), 2)
	check.Equal(c, "claims of the other", check.PerSubscription(claims)[other.ID], 2)
}

func testRequeueDisabled(c *check.Driver) {
	sub := c.Subscribe()
	before := c.Publish(1)
	c.Unsubscribe(sub.ID, "answered 410")
	ids := append(before, c.Publish(2)...)
	c.Resubscribe(sub.ID)
	check.Equal(c, "requeued",
		c.Requeue(store.DeliveryQuery{States: []store.State{store.Canceled}}), 3)
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), len(ids))
	for _, cl := range claims {
		check.Equal(c, "LastError of one that waits for its first attempt",
			c.State(cl.Lease, store.Pending).LastError, "")
		check.Equal(c, "Attempt", cl.Attempt, 1)
		c.Counts(check.Delivered(cl))
		c.State(cl.Lease, store.Delivered)
	}
}

func testRequeueWaiting(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: []store.State{store.Pending}}),
		1)
	cl := c.ClaimOne()
	check.Equal(c, "Retry", cl.Retry, 2)
	check.Equal(c, "Attempt", cl.Attempt, 3)
}

func testRequeueLeased(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), 2)
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: store.States()}), 0)
	check.Equal(c, "claims while they are leased", len(c.Claim(10)), 0)
	for _, cl := range claims {
		c.Counts(check.Delivered(cl))
	}
}

func testRequeueSteps(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(7)
	for _, cl := range c.Claim(10) {
		c.Counts(check.Dead(cl))
	}
	cursor, total := "", 0
	for step := range 4 {
		r, err := c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Limit: 2, Cursor: cursor})
		c.Must("Requeue", err)
		next := r.Next
		total += r.Requeued
		want := min(2*(step+1), len(ids))
		pending := c.Deliveries(store.DeliveryQuery{States: []store.State{store.Pending}})
		oldest := slices.Clone(ids[:want])
		slices.Reverse(oldest) // as a listing has them
		check.Equal(c, "requeued so far", total, want)
		c.SameIDs("pending so far", check.Listed(pending), oldest)
		if (step == 3) != (next == "") {
			c.Errorf("cursor after step %d of 4: got %q", step+1, next)
		}
		cursor = next
	}
	got := make(map[string]int)
	for _, cl := range c.Claim(100) {
		got[cl.EventID]++
	}
	want := make(map[string]int)
	for _, id := range ids {
		want[id] = 1
	}
	if !maps.Equal(got, want) {
		c.Errorf("claims: got %v, want each once", got)
	}
}

func testRequeueHistory(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	var cl store.Claim
	for range 3 {
		c.Counts(check.Failed(c.ClaimOne(), 0))
		cl = c.ClaimOne()
		c.Counts(check.Delivered(cl))
		check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 1)
	}
	attempts := c.Attempts(cl.Lease)
	check.Equal(c, "attempts", len(attempts), 6)
	for i, a := range attempts {
		check.Equal(c, "Number", a.Number, i+1)
		check.Equal(c, "Status", a.Status, []int{500, 200}[i%2])
	}
	d := c.State(cl.Lease, store.Pending)
	check.Equal(c, "Attempts", d.Attempts, 6)
	check.Equal(c, "LastStatus", d.LastStatus, 200)
	check.Equal(c, "LastError", d.LastError, "")
}

func testRequeueInOrder(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(23)
	for i, cl := range c.Claim(len(ids)) {
		if i%3 == 0 { // some have been tried before
			c.Counts(check.Failed(cl, 0))
			cl = c.ClaimOne()
		}
		c.Counts(check.Delivered(cl))
	}
	q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: 4}
	var got []string
	for step := 0; ; step++ {
		r, err := c.Store.Requeue(c.Ctx(), q)
		c.Must("Requeue", err)
		if step < 5 {
			check.Equal(c, "requeued in a step", r.Requeued, 4)
		}
		if r.Next == "" {
			break
		}
		if step == 2 { // what is claimed meanwhile is the oldest
			got = check.Claimed(c.Claim(5))
		}
		q.Cursor = r.Next
	}
	c.SameIDs("claims of what was requeued", append(got, check.Claimed(c.Claim(100))...), ids)
}

func testRequeueSince(c *check.Driver) {
	sub := c.Subscribe()
	var ids []string
	var times []time.Time
	for range 6 {
		times = append(times, time.Now().Add(-time.Minute))
		ids = append(ids, c.Publish(2)...)
		for _, cl := range c.Claim(2) {
			c.Counts(check.Delivered(cl))
		}
		c.Pass(time.Hour)
	}
	for _, tc := range []struct{ since, until, limit int }{{2, 4, 1}, {0, 3, 3}, {5, 0, 2},
		{3, 0, 100}} {
		q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: tc.limit, Since: times[tc.since]}
		want := ids[2*tc.since:]
		if tc.until > 0 {
			q.Until, want = times[tc.until], ids[2*tc.since:2*tc.until]
		}
		check.Equal(c, "requeued", c.Requeue(q), len(want))
		claims := c.Claim(100)
		c.SameIDs("claims of what was requeued", check.Claimed(claims), want)
		for _, cl := range claims {
			c.Counts(check.Delivered(cl))
		}
	}
}
