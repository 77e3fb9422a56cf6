package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func canceledRules() []rule {
	return []rule{
		{name: "ends", test: testCanceled,
			rule: "Finish with Canceled ends the delivery as canceled, with Attempt.Error as its LastError."},
		{name: "no-attempt", test: testCanceledNoAttempt,
			rule: "Canceled records no attempt and leaves the health as it is."},
		{name: "late", test: testCanceledLate,
			rule: "With a token that is not the present one, Canceled is ignored."},
		{name: "over", test: testCanceledOver,
			rule: "Canceled is ignored when the delivery is over."},
		{name: "run-out", test: testCanceledRunOut,
			rule: "Canceled counts when the lease has run out but the delivery was not claimed again."},
		{name: "late-success", test: testCanceledLateSuccess,
			rule: "A success still ends as Delivered what an outcome has canceled."},
		{name: "room", test: testCanceledRoom,
			rule: "What was canceled no longer counts against the limits of Claim."},
		{name: "key", test: testCanceledKey,
			rule: "A delivery that an outcome has canceled lets the next of its Key go."},
		{name: "requeue", test: testCanceledRequeue,
			rule: "What an outcome has canceled can be requeued; the token from before is worth nothing then."},
		{name: "restart", test: testCanceledRestart, restart: true,
			rule: "What an outcome has canceled stays so after a restart."},
	}
}

// canceled is the outcome of a claim that ends without an attempt. What it says besides the reason is not looked at.
func canceled(cl store.Claim, why string) store.Outcome {
	return store.Outcome{
		Lease:     cl.Lease,
		State:     store.Canceled,
		RetryIn:   time.Second,
		ProbeIn:   time.Hour,
		BodyState: store.BodyOverridden, BodyOverride: []byte("none of this"),
		Attempt: attempt(cl, 500, why),
	}
}

func testCanceled(c *check) {
	c.subscribe()
	c.publish(2)
	cl := c.claimOne()
	c.counts(canceled(cl, "filtered"))
	d := c.state(cl.Lease, store.Canceled)
	equal(c, "LastError", d.LastError, "filtered")
	equal(c, "LastStatus", d.LastStatus, 0)
	c.near("FinishedAt", d.FinishedAt, time.Now())
	if !d.DueAt.IsZero() {
		c.errorf("DueAt: got %v, want zero", d.DueAt)
	}
	c.ignored(canceled(cl, "again"))
	equal(c, "Pending", c.stats("").Pending, 1)
	equal(c, "InFlight", c.stats("").InFlight, 0)
	equal(c, "claims of the rest", len(c.claim(10)), 1)
}

func testCanceledNoAttempt(c *check) {
	sub := c.subscribe()
	c.publish(3)
	c.counts(failed(c.claimOne(), 0))
	claims := c.claim(3)
	before := c.health(sub.ID)
	for _, cl := range claims {
		r := c.counts(canceled(cl, "filtered"))
		equal(c, "Before", r.Before, before)
		equal(c, "After", r.After, before)
		d := c.state(cl.Lease, store.Canceled)
		equal(c, "Attempts", d.Attempts, cl.Attempt-1)
		equal(c, "attempts", len(c.attempts(cl.Lease)), cl.Attempt-1)
		equal(c, "LastError", d.LastError, "filtered")
	}
	equal(c, "health", c.health(sub.ID), before)
	equal(c, "Failed of the last hour", c.stats(sub.ID).Hour.Failed, 1)
	c.publish(1)
	equal(c, "claims: nothing is held", len(c.claim(10)), 1)
}

func testCanceledLate(c *check) {
	c.subscribe()
	ids := c.publish(2)
	late := c.claimOne()
	c.release(late)
	c.ignored(canceled(late, "late"))
	c.state(late.Lease, store.Pending)
	present := c.claimOne()
	c.ignored(canceled(late, "late"))
	c.state(present.Lease, store.Pending)
	c.counts(delivered(present))
	noToken := canceled(late, "late")
	noToken.EventID, noToken.Token = ids[1], 0
	c.ignored(noToken)
	equal(c, "claims", len(c.claim(10)), 1)
}

func testCanceledOver(c *check) {
	sub := c.subscribe()
	c.publish(3)
	claims := c.claim(3)
	c.finish(delivered(claims[0]), dead(claims[1]))
	c.unsubscribe(sub.ID, "answered 410")
	for i, want := range []store.State{store.Delivered, store.Dead, store.Canceled} {
		c.ignored(canceled(claims[i], "late"))
		c.state(claims[i].Lease, want)
	}
	equal(c, "LastError", c.state(claims[2].Lease, store.Canceled).LastError, "answered 410")
}

func testCanceledRunOut(c *check) {
	c.subscribe()
	c.publish(1)
	claims := c.claimWith(store.ClaimRequest{Max: 1, Lease: c.short}).Claims
	equal(c, "claims", len(claims), 1)
	c.pass(c.short)
	c.counts(canceled(claims[0], "filtered"))
	c.state(claims[0].Lease, store.Canceled)
	equal(c, "claims after it", len(c.claim(10)), 0)
}

func testCanceledLateSuccess(c *check) {
	sub := c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	c.counts(canceled(cl, "filtered"))
	c.ignored(failed(cl, 0))
	c.ignored(dead(cl))
	c.counts(delivered(cl))
	equal(c, "LastError", c.state(cl.Lease, store.Delivered).LastError, "")
	equal(c, "attempts", len(c.attempts(cl.Lease)), 1)
	equal(c, "Healthy", c.health(sub.ID).Healthy, true)
}

func testCanceledRoom(c *check) {
	c.subscribe()
	c.publish(6)
	c.counts(failed(c.claimOne(), c.long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2, MaxFailing: 2}
	for range 2 {
		claims := c.claimWith(req).Claims
		equal(c, "claims", len(claims), 2)
		for _, cl := range claims {
			c.counts(canceled(cl, "filtered"))
		}
	}
	equal(c, "claims of the last", len(c.claimWith(req).Claims), 1)
}

func testCanceledKey(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k")
	first := c.next("the first", ids[0])
	c.signals("Finish with Canceled", func() { c.counts(canceled(first, "filtered")) })
	c.counts(failed(c.next("after a canceled one", ids[1]), 0))
	c.counts(canceled(c.next("its retry", ids[1]), "filtered"))
	c.next("after a canceled retry", ids[2])
}

func testCanceledRequeue(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(failed(c.claimOne(), 0))
	cl := c.claimOne()
	body := string(cl.Body)
	c.counts(canceled(cl, "filtered"))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 1)
	c.ignored(dead(cl))
	again := c.claimOne()
	equal(c, "Attempt", again.Attempt, 2)
	equal(c, "Retry", again.Retry, 0)
	equal(c, "Body", string(again.Body), body)
	equal(c, "LastError", c.state(cl.Lease, store.Pending).LastError, "http_status")
}

func testCanceledRestart(c *check) {
	sub := c.subscribe()
	c.publish(2)
	cl := c.claimOne()
	c.counts(canceled(cl, "filtered"))
	before := c.state(cl.Lease, store.Canceled)
	c.reopen()
	c.sameDelivery("delivery", c.state(cl.Lease, store.Canceled), before)
	equal(c, "attempts", len(c.attempts(cl.Lease)), 0)
	equal(c, "health", c.health(sub.ID), store.Health{})
	equal(c, "Pending", c.stats("").Pending, 1)
}
