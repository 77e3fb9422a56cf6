package outcomes

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func canceledRules() []check.Rule {
	return []check.Rule{
		{Name: "ends", Test: testCanceled,
			Sentence: "Finish with Canceled ends the delivery as canceled, with Attempt.Error " +
				"as its LastError."},
		{Name: "no-attempt", Test: testCanceledNoAttempt,
			Sentence: "Canceled records no attempt and leaves the health as it is."},
		{Name: "late", Test: testCanceledLate,
			Sentence: "With a token that is not the present one, Canceled is ignored."},
		{Name: "over", Test: testCanceledOver,
			Sentence: "Canceled is ignored for a finished delivery."},
		{Name: "run-out", Test: testCanceledRunOut,
			Sentence: "Canceled counts when the lease has run out but the delivery was not " +
				"claimed again."},
		{Name: "late-success", Test: testCanceledLateSuccess,
			Sentence: "A late success still ends a canceled delivery as Delivered."},
		{Name: "room", Test: testCanceledRoom,
			Sentence: "A canceled delivery no longer counts against the limits of Claim."},
		{Name: "key", Test: testCanceledKey,
			Sentence: "A canceled delivery no longer blocks the next of its Key."},
		{Name: "requeue", Test: testCanceledRequeue,
			Sentence: "A canceled delivery can be requeued; tokens from before are then void."},
		{Name: "restart", Test: testCanceledRestart, Restarts: true,
			Sentence: "A canceled delivery is still canceled after a restart."},
	}
}

func testCanceled(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	cl := c.ClaimOne()
	c.Counts(check.Canceled(cl, "filtered"))
	d := c.State(cl.Lease, store.Canceled)
	check.Equal(c, "LastError", d.LastError, "filtered")
	check.Equal(c, "LastStatus", d.LastStatus, 0)
	c.Near("FinishedAt", d.FinishedAt, time.Now())
	if !d.DueAt.IsZero() {
		c.Errorf("DueAt: got %v, want zero", d.DueAt)
	}
	c.Ignored(check.Canceled(cl, "again"))
	check.Equal(c, "Pending", c.Stats("").Pending, 1)
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	check.Equal(c, "claims of the rest", len(c.Claim(10)), 1)
}

func testCanceledNoAttempt(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	claims := c.Claim(3)
	before := c.Health(sub.ID)
	for _, cl := range claims {
		r := c.Counts(check.Canceled(cl, "filtered"))
		check.Equal(c, "Before", *r.Before, before)
		check.Equal(c, "After", *r.After, before)
		d := c.State(cl.Lease, store.Canceled)
		check.Equal(c, "Attempts", d.Attempts, cl.Attempt-1)
		check.Equal(c, "attempts", len(c.Attempts(cl.Lease)), cl.Attempt-1)
		check.Equal(c, "LastError", d.LastError, "filtered")
	}
	check.Equal(c, "health", c.Health(sub.ID), before)
	check.Equal(c, "Failed of the last hour", c.Stats(sub.ID).Hour.Failed, 1)
	c.Publish(1)
	check.Equal(c, "claims: nothing is held", len(c.Claim(10)), 1)
}

func testCanceledLate(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(2)
	late := c.ClaimOne()
	c.Release(late)
	c.Ignored(check.Canceled(late, "late"))
	c.State(late.Lease, store.Pending)
	present := c.ClaimOne()
	c.Ignored(check.Canceled(late, "late"))
	c.State(present.Lease, store.Pending)
	c.Counts(check.Delivered(present))
	noToken := check.Canceled(late, "late")
	noToken.EventID, noToken.Token = ids[1], 0
	c.Ignored(noToken)
	check.Equal(c, "claims", len(c.Claim(10)), 1)
}

func testCanceledOver(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]))
	c.Unsubscribe(sub.ID, "answered 410")
	for i, want := range []store.State{store.Delivered, store.Dead, store.Canceled} {
		c.Ignored(check.Canceled(claims[i], "late"))
		c.State(claims[i].Lease, want)
	}
	check.Equal(c, "LastError", c.State(claims[2].Lease, store.Canceled).LastError, "answered 410")
}

func testCanceledRunOut(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	claims := c.ClaimWith(store.ClaimRequest{Max: 1, Lease: c.Short}).Claims
	check.Equal(c, "claims", len(claims), 1)
	c.Pass(c.Short)
	c.Counts(check.Canceled(claims[0], "filtered"))
	c.State(claims[0].Lease, store.Canceled)
	check.Equal(c, "claims after it", len(c.Claim(10)), 0)
}

func testCanceledLateSuccess(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	c.Counts(check.Canceled(cl, "filtered"))
	c.Ignored(check.Failed(cl, 0))
	c.Ignored(check.Dead(cl))
	c.Counts(check.Delivered(cl))
	check.Equal(c, "LastError", c.State(cl.Lease, store.Delivered).LastError, "")
	check.Equal(c, "attempts", len(c.Attempts(cl.Lease)), 1)
	check.Equal(c, "Healthy", c.Health(sub.ID).Healthy, true)
}

func testCanceledRoom(c *check.Driver) {
	c.Subscribe()
	c.Publish(6)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2, MaxFailing: 2}
	for range 2 {
		claims := c.ClaimWith(req).Claims
		check.Equal(c, "claims", len(claims), 2)
		for _, cl := range claims {
			c.Counts(check.Canceled(cl, "filtered"))
		}
	}
	check.Equal(c, "claims of the last", len(c.ClaimWith(req).Claims), 1)
}

func testCanceledKey(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k")
	first := c.Next("the first", ids[0])
	check.Signals(c, "Finish with Canceled", func() { c.Counts(check.Canceled(first, "filtered")) })
	c.Counts(check.Failed(c.Next("after a canceled one", ids[1]), 0))
	c.Counts(check.Canceled(c.Next("its retry", ids[1]), "filtered"))
	c.Next("after a canceled retry", ids[2])
}

func testCanceledRequeue(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	cl := c.ClaimOne()
	body := string(cl.Body)
	c.Counts(check.Canceled(cl, "filtered"))
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 1)
	c.Ignored(check.Dead(cl))
	again := c.ClaimOne()
	check.Equal(c, "Attempt", again.Attempt, 2)
	check.Equal(c, "Retry", again.Retry, 0)
	check.Equal(c, "Body", string(again.Body), body)
	check.Equal(c, "LastError", c.State(cl.Lease, store.Pending).LastError, "http_status")
}

func testCanceledRestart(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	cl := c.ClaimOne()
	c.Counts(check.Canceled(cl, "filtered"))
	before := c.State(cl.Lease, store.Canceled)
	c.Reopen()
	c.SameDelivery("delivery", c.State(cl.Lease, store.Canceled), before)
	check.Equal(c, "attempts", len(c.Attempts(cl.Lease)), 0)
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	check.Equal(c, "Pending", c.Stats("").Pending, 1)
}
