package listing

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func waitRules() []check.Rule {
	return []check.Rule{
		{Name: "due", Test: testWaitDue,
			Sentence: "A pending delivery that nothing keeps back is due; one that has ended waits " +
				"for nothing."},
		{Name: "under-way", Test: testWaitUnderWay,
			Sentence: "A leased delivery is under way, until its lease runs out; one that was " +
				"given back is due."},
		{Name: "retry", Test: testWaitRetry,
			Sentence: "What failed waits for its retry, until it is due; what Requeue made due is."},
		{Name: "key", Test: testWaitKey,
			Sentence: "A delivery behind an earlier one of its key waits for that, until it ends."},
		{Name: "rate-limit", Test: testWaitRateLimit,
			Sentence: "What Claim was told to pause waits for the end of that, or for its retry if " +
				"that is later."},
		{Name: "throttled", Test: testWaitThrottled,
			Sentence: "What an endpoint that throttles is to get waits until its hold ends."},
		{Name: "breaker", Test: testWaitBreaker,
			Sentence: "What an endpoint that is down is to get waits for its next probe, attempted " +
				"or not, until one succeeds."},
		{Name: "paused", Test: testWaitPaused,
			Sentence: "What is pending of a Paused subscription waits for that to end, and a lease " +
				"of it is still under way."},
		{Name: "restart", Test: testWaitRestart, Restarts: true,
			Sentence: "After a restart, before a Claim, deliveries wait for what the store has kept: " +
				"a retry, a key, a probe, a pause."},
	}
}

// waits checks what the delivery of an event waits for, and until when; zero is no time.
func waits(c *check.Driver, what, eventID string, want store.Wait, until time.Time) {
	d := c.Delivery("", eventID)
	check.Equal(c, what+": Wait", d.Wait, want)
	if until.IsZero() != d.WaitUntil.IsZero() {
		c.Errorf("%s: WaitUntil: got %v, want %v", what, d.WaitUntil, until)
	}
	if !until.IsZero() {
		c.Near(what+": WaitUntil", d.WaitUntil, until)
	}
}

// in returns the time after a while from now.
func in(d time.Duration) time.Time { return time.Now().Add(d) }

func testWaitDue(c *check.Driver) {
	c.Subscribe()
	id := c.Publish(1)[0]
	waits(c, "before any claim", id, store.WaitDue, time.Time{})
	c.Counts(check.Failed(c.ClaimOne(), 0))
	waits(c, "that failed and is due", id, store.WaitDue, time.Time{})
	c.Counts(check.Delivered(c.ClaimOne()))
	waits(c, "that was delivered", id, "", time.Time{})
}

func testWaitUnderWay(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(2)
	cl := c.ClaimOne()
	waits(c, "that is leased", ids[0], store.WaitUnderWay, in(c.Long))
	waits(c, "that is not leased", ids[1], store.WaitDue, time.Time{})
	c.Release(cl)
	waits(c, "that was given back", ids[0], store.WaitDue, time.Time{})
}

func testWaitRetry(c *check.Driver) {
	c.Subscribe()
	id := c.Publish(1)[0]
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	waits(c, "that failed", id, store.WaitRetry, in(c.Long))
	c.Requeue(store.DeliveryQuery{States: store.States()})
	waits(c, "that was made due", id, store.WaitDue, time.Time{})
}

func testWaitKey(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("a", "a", "b")
	waits(c, "the first of its key", ids[0], store.WaitDue, time.Time{})
	waits(c, "the second of its key", ids[1], store.WaitKey, time.Time{})
	waits(c, "the first of another", ids[2], store.WaitDue, time.Time{})
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	waits(c, "behind one that waits for its retry", ids[1], store.WaitKey, time.Time{})
	c.Requeue(store.DeliveryQuery{States: store.States()})
	c.Counts(check.Delivered(c.Claim(1)[0]))
	waits(c, "when the first has ended", ids[1], store.WaitDue, time.Time{})
}

func testWaitRateLimit(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	c.Counts(check.Failed(c.ClaimOne(), 2*c.Long))
	c.Pause(sub.ID, c.Long)
	waits(c, "of a paused subscription", ids[1], store.WaitRateLimit, in(c.Long))
	waits(c, "whose retry is later", ids[0], store.WaitRetry, in(2*c.Long))
	c.Pause(sub.ID, 0)
	waits(c, "when the pause has ended", ids[1], store.WaitDue, time.Time{})
}

func testWaitThrottled(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(2)
	o := check.Failed(c.ClaimOne(), 0)
	o.Effect, o.ThrottleFor = store.EffectThrottled, c.Long
	c.Counts(o)
	for _, id := range ids {
		waits(c, "of an endpoint that throttles", id, store.WaitThrottled, in(c.Long))
	}
}

func testWaitBreaker(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	c.Counts(check.Held(c.ClaimOne(), c.Short, c.Long))
	for _, id := range ids {
		waits(c, "of an endpoint that is down", id, store.WaitBreaker, in(c.Long))
	}
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), sub.ID))
	for _, id := range ids {
		waits(c, "of an endpoint that is back", id, store.WaitDue, time.Time{})
	}
}

func testWaitPaused(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	cl := c.ClaimOne()
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Paused })
	waits(c, "that failed, of a Paused subscription", ids[0], store.WaitPaused, time.Time{})
	waits(c, "that is leased, of a Paused subscription", ids[1], store.WaitUnderWay, in(c.Long))
	waits(c, "of a Paused subscription", ids[2], store.WaitPaused, time.Time{})
	c.Counts(check.Delivered(cl))
	c.Resubscribe(sub.ID)
	waits(c, "when it is Subscribed again", ids[0], store.WaitRetry, in(c.Long))
}

func testWaitRestart(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Keyed("a", "a")
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	c.Reopen()
	waits(c, "that failed", ids[0], store.WaitRetry, in(c.Long))
	waits(c, "behind it", ids[1], store.WaitKey, time.Time{})
	c.Requeue(store.DeliveryQuery{States: store.States()})
	c.Counts(check.Held(c.ClaimOne(), c.Short, c.Long))
	c.Reopen()
	waits(c, "of an endpoint that is down", ids[0], store.WaitBreaker, in(c.Long))
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Paused })
	c.Reopen()
	waits(c, "of a Paused subscription", ids[0], store.WaitPaused, time.Time{})
}
