package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func finishRules() []rule {
	return []rule{
		{name: "delivered", test: testFinishDelivered,
			rule: "Finish with Delivered ends the delivery as delivered."},
		{name: "dead", test: testFinishDead,
			rule: "Finish with Dead ends the delivery as dead."},
		{name: "pending", test: testFinishPending,
			rule: "Finish with Pending makes the delivery due again after RetryIn."},
		{name: "attempt", test: testFinishAttempt,
			rule: "The attempt is recorded, with all that it says."},
		{name: "results", test: testFinishResults,
			rule: "Finish returns one Result for each outcome, in order."},
		{name: "late-failure", test: testLateFailure,
			rule: "With a token that is not the present one, a failure is ignored."},
		{name: "late-success", test: testLateSuccess,
			rule: "With a token that is not the present one, a success still ends a pending delivery."},
		{name: "late-success-number", test: testLateSuccessNumber,
			rule: "The attempt of a late success is recorded, and numbered as it is recorded."},
		{name: "late-success-canceled", test: testLateSuccessCanceled,
			rule: "With a token that is not the present one, a success still ends a canceled delivery."},
		{name: "late-success-over", test: testLateSuccessOver,
			rule: "An outcome for a delivery that is delivered or dead is ignored."},
		{name: "run-out", test: testRunOut,
			rule: "A lease that has run out but was not claimed again still counts."},
		{name: "again", test: testFinishAgain,
			rule: "Calling again with the same outcomes is safe: they are then ignored."},
		{name: "unknown", test: testFinishUnknown,
			rule: "Outcomes of deliveries that are not there, or not claimed, are ignored, and the others count."},
		{name: "room", test: testFinishRoom,
			rule: "What Finish has recorded no longer counts against the limits of Claim."},
		{name: "nothing", rule: "Finish of no outcomes does nothing.",
			test: func(c *check) { c.subscribe(); c.publish(1); c.finish(); equal(c, "claims", len(c.claim(10)), 1) }},
	}
}

func testFinishDelivered(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(failed(c.claimOne(), 0))
	cl := c.claimOne()
	c.counts(delivered(cl))
	d := c.state(cl.Lease, store.Delivered)
	equal(c, "Attempts", d.Attempts, 2)
	equal(c, "LastStatus", d.LastStatus, 200)
	equal(c, "LastError", d.LastError, "")
	c.near("FinishedAt", d.FinishedAt, time.Now())
	if !d.DueAt.IsZero() {
		c.errorf("DueAt: got %v, want zero", d.DueAt)
	}
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Pending", c.stats("").Pending, 0)
}

func testFinishDead(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	c.counts(dead(cl))
	d := c.state(cl.Lease, store.Dead)
	equal(c, "Attempts", d.Attempts, 1)
	equal(c, "LastStatus", d.LastStatus, 410)
	equal(c, "LastError", d.LastError, "gone")
	c.near("FinishedAt", d.FinishedAt, time.Now())
	equal(c, "claims", len(c.claim(10)), 0)
}

func testFinishPending(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	c.counts(failed(cl, c.long))
	d := c.state(cl.Lease, store.Pending)
	equal(c, "Attempts", d.Attempts, 1)
	equal(c, "LastStatus", d.LastStatus, 500)
	equal(c, "LastError", d.LastError, "http_status")
	c.near("DueAt", d.DueAt, time.Now().Add(c.long))
	if !d.FinishedAt.IsZero() {
		c.errorf("FinishedAt: got %v, want zero", d.FinishedAt)
	}
	equal(c, "InFlight", c.stats("").InFlight, 0)
	equal(c, "Pending", c.stats("").Pending, 1)
}

func testFinishAttempt(c *check) {
	c.subscribe()
	c.publish(1)
	want := []store.Attempt{
		{Number: 1, At: time.Now(), Duration: 1500 * time.Millisecond, Error: "timeout"},
		{Number: 2, At: time.Now().Add(-time.Hour), Status: 503, Response: make([]byte, store.MaxResponse), Error: "x"},
		{Number: 3, At: time.Now(), Duration: time.Millisecond, Status: 200, Response: []byte("ok")},
	}
	for i, a := range want {
		cl := c.claimOne()
		o := failed(cl, 0)
		if i == len(want)-1 {
			o = delivered(cl)
		}
		o.Attempt = a
		c.counts(o)
		got := c.attempts(cl.Lease)
		if len(got) != i+1 {
			c.fatalf("attempts: got %d, want %d", len(got), i+1)
		}
		for j := range got {
			c.sameAttempt("an attempt", got[j], want[j])
		}
	}
}

func testFinishResults(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(4)
	stale := claims[3]
	c.release(stale)
	got := c.finish(failed(claims[0], 0), failed(stale, 0), delivered(claims[1]), dead(claims[2]))
	want := []store.Result{
		{After: store.Health{Failures: 1}},
		{Ignored: true},
		{Before: store.Health{Failures: 1}, After: store.Health{Healthy: true, SlowStart: 1}},
		{Before: store.Health{Healthy: true, SlowStart: 1}, After: store.Health{Failures: 1}},
	}
	for i := range want {
		got[i].Before, got[i].After = timeless(got[i].Before), timeless(got[i].After)
		equal(c, "result", got[i], want[i])
	}
	equal(c, "health", timeless(c.health(sub.ID)), want[3].After)
}

// twice claims a delivery whose first lease runs out, and returns both claims.
func (c *check) twice() (late, present store.Claim) {
	first := c.claimWith(store.ClaimRequest{Max: 1, Lease: c.short}).Claims
	if len(first) != 1 {
		c.fatalf("claims: got %d, want 1", len(first))
	}
	c.pass(c.short)
	present = c.claimOne()
	if present.EventID != first[0].EventID {
		c.fatalf("claim once the lease has run out: got %s, want %s", present.EventID, first[0].EventID)
	}
	return first[0], present
}

func testLateFailure(c *check) {
	sub := c.subscribe()
	c.publish(1)
	late, present := c.twice()
	c.ignored(failed(late, 0))
	c.ignored(dead(late))
	c.ignored(held(late, 0, c.long))
	c.state(present.Lease, store.Pending)
	equal(c, "attempts", len(c.attempts(late.Lease)), 0)
	equal(c, "health", c.health(sub.ID), store.Health{})
	equal(c, "claims while the present lease runs", len(c.claim(10)), 0)
	c.counts(failed(present, 0))
	equal(c, "Attempt of the next", c.claimOne().Attempt, 2)
}

func testLateSuccess(c *check) {
	sub := c.subscribe()
	c.publish(2)
	late, present := c.twice()
	c.counts(delivered(late))
	c.state(late.Lease, store.Delivered)
	equal(c, "InFlight", c.stats("").InFlight, 0)
	c.ignored(failed(present, 0))
	c.ignored(delivered(present))
	c.state(late.Lease, store.Delivered)
	released := c.claimOne()
	c.release(released)
	c.counts(delivered(released))
	c.state(released.Lease, store.Delivered)
	equal(c, "Healthy", c.health(sub.ID).Healthy, true)
	equal(c, "claims", len(c.claim(10)), 0)
}

func testLateSuccessNumber(c *check) {
	c.subscribe()
	c.publish(1)
	late, present := c.twice()
	c.counts(failed(present, c.long))
	c.counts(delivered(late))
	attempts := c.attempts(late.Lease)
	equal(c, "attempts", len(attempts), 2)
	for i, a := range attempts {
		equal(c, "Number", a.Number, i+1)
		equal(c, "Status", a.Status, []int{500, 200}[i])
	}
	equal(c, "Attempts", c.state(late.Lease, store.Delivered).Attempts, 2)
}

func testLateSuccessCanceled(c *check) {
	sub := c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	c.unsubscribe(sub.ID, "answered 410")
	c.counts(delivered(cl))
	d := c.state(cl.Lease, store.Delivered)
	equal(c, "LastError", d.LastError, "")
	c.ignored(delivered(cl))
}

func testLateSuccessOver(c *check) {
	c.subscribe()
	c.publish(1)
	late, present := c.twice()
	c.counts(dead(present))
	c.ignored(delivered(late))
	c.ignored(failed(late, 0))
	c.state(present.Lease, store.Dead)
	equal(c, "attempts", len(c.attempts(present.Lease)), 1)
}

func testRunOut(c *check) {
	sub := c.subscribe()
	c.publish(1)
	claims := c.claimWith(store.ClaimRequest{Max: 1, Lease: c.short}).Claims
	c.pass(c.short)
	equal(c, "InFlight", c.stats("").InFlight, 0)
	c.counts(failed(claims[0], c.long))
	equal(c, "Failures", c.health(sub.ID).Failures, 1)
	equal(c, "attempts", len(c.attempts(claims[0].Lease)), 1)
	equal(c, "claims", len(c.claim(10)), 0)
}

func testFinishAgain(c *check) {
	sub := c.subscribe()
	c.publish(3)
	claims := c.claim(3)
	outcomes := []store.Outcome{failed(claims[0], c.long), delivered(claims[1]), dead(claims[2])}
	c.finish(outcomes...)
	before := c.health(sub.ID)
	for _, o := range outcomes {
		c.ignored(o)
	}
	equal(c, "health", sameClock(c.health(sub.ID)), sameClock(before))
	for i, want := range []store.State{store.Pending, store.Delivered, store.Dead} {
		equal(c, "Attempts", c.state(claims[i].Lease, want).Attempts, 1)
		equal(c, "attempts", len(c.attempts(claims[i].Lease)), 1)
	}
}

func testFinishUnknown(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	noEvent, noSub := delivered(cl), delivered(cl)
	noEvent.EventID = "nobody-knows-it"
	noSub.SubscriptionID = c.newSub().ID
	c.release(cl)
	noToken := failed(cl, c.long)
	noToken.Token = 0
	c.ignored(noToken)
	cl = c.claimOne()
	results := c.finish(noEvent, noSub, delivered(cl))
	for i, want := range []bool{true, true, false} {
		equal(c, "Ignored", results[i].Ignored, want)
	}
	c.state(cl.Lease, store.Delivered)
}

func testFinishRoom(c *check) {
	c.subscribe()
	c.publish(9)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	claims := c.claimWith(req).Claims
	for _, finish := range []func(store.Claim) store.Outcome{
		func(cl store.Claim) store.Outcome { return failed(cl, c.long) }, dead, delivered,
	} {
		if len(claims) != 2 {
			c.fatalf("claims: got %d, want 2", len(claims))
		}
		c.finish(finish(claims[0]), finish(claims[1]))
		claims = c.claimWith(req).Claims
	}
}
