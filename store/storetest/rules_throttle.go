package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func throttleRules() []rule {
	return []rule{
		{name: "hold", test: testThrottleHold,
			rule: "A throttled answer keeps the whole subscription from being claimed for ThrottleFor, and nobody else."},
		{name: "success", test: testThrottleSuccess,
			rule: "A success does not end the hold of a throttled answer."},
		{name: "health", test: testThrottleHealth,
			rule: "A throttled answer is no failure, and halves the limit until a success."},
		{name: "pace", test: testThrottlePace,
			rule: "With a Pace, no two deliveries of a subscription are claimed in less time."},
		{name: "restart", test: testThrottleRestart, restart: true,
			rule: "The hold and the pace of a subscription outlast a restart."},
		{name: "refused", test: testRefused,
			rule: "A refusal leaves the health as it is, but for FailingFor."},
		{name: "none", test: testEffectNone,
			rule: "An attempt that says nothing of the endpoint leaves the health as it is, and counts for the delivery."},
		{name: "slow", test: testSlow,
			rule: "A subscription whose attempts take longer than SlowLatency shares MaxUnhealthy."},
	}
}

// throttled is the outcome of an attempt that was answered with 429.
func throttled(cl store.Claim, d time.Duration) store.Outcome {
	o := failed(cl, d)
	o.Attempt.Status, o.Effect, o.ThrottleFor, o.KeepRetry = 429, store.EffectThrottled, d, true
	return o
}

func testThrottleHold(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(3)
	for _, cl := range c.claim(2) {
		if cl.SubscriptionID == sub.ID {
			h := c.counts(throttled(cl, c.short)).After
			c.near("HeldUntil", h.HeldUntil, time.Now().Add(c.short))
		} else {
			c.counts(delivered(cl))
		}
	}
	got := c.claimWith(store.ClaimRequest{Max: 10})
	for _, cl := range got.Claims {
		equal(c, "claimed of", cl.SubscriptionID, other.ID)
	}
	equal(c, "claims of the other", len(got.Claims), 2)
	if got.NextDue > c.short {
		c.errorf("NextDue: got %v, want the end of the hold in %v at most", got.NextDue, c.short)
	}
	c.pass(c.short)
	equal(c, "claims once the hold is over", len(c.claim(10)), 3)
}

func testThrottleSuccess(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(2)
	c.counts(throttled(claims[0], c.long))
	c.counts(delivered(claims[1]))
	equal(c, "claims after a success", len(c.claim(10)), 0)
	if h := c.health(sub.ID); !h.Healthy || h.HeldUntil.IsZero() {
		c.errorf("health after a success: got %+v, want it healthy and held", h)
	}
}

func testThrottleHealth(c *check) {
	sub := c.subscribe()
	c.publish(30)
	c.counts(delivered(c.claimOne()))
	c.counts(throttled(c.claimOne(), c.short))
	h := c.health(sub.ID)
	equal(c, "Failures", h.Failures, 0)
	equal(c, "Healthy", h.Healthy, true)
	equal(c, "SlowStart", h.SlowStart, 1)
	c.pass(c.short)
	req := store.ClaimRequest{Max: 100, PerSubscription: 16}
	claims := c.claimWith(req).Claims
	equal(c, "claims with half the limit", len(claims), 8)
	equal(c, "Retry after a throttled answer", perRetry(claims), 0)
	c.counts(delivered(claims[0]))
	equal(c, "claims once it is whole again", len(c.claimWith(req).Claims), 9)
}

// perRetry returns the highest Retry of some claims.
func perRetry(claims []store.Claim) (most int) {
	for _, cl := range claims {
		most = max(most, cl.Retry)
	}
	return most
}

// paced stores a subscription with a Pace and a hold that is over, and something due. Two throttled
// answers with a success in between give it the pace.
func (c *check) paced() store.Subscription {
	sub := c.subscribe()
	c.publish(5)
	c.counts(throttled(c.claimOne(), c.short))
	c.pass(c.short)
	c.counts(delivered(c.claimOne()))
	c.counts(throttled(c.claimOne(), c.short))
	if h := c.health(sub.ID); h.Pace < c.short/2 {
		c.errorf("health: got %+v, want a Pace of about the hold of %v", h, c.short)
	}
	return sub
}

func testThrottlePace(c *check) {
	sub := c.paced()
	pace := c.health(sub.ID).Pace
	c.pass(max(pace, c.short))
	for range 2 {
		got := c.claimWith(store.ClaimRequest{Max: 10})
		equal(c, "claims at once", len(got.Claims), 1)
		c.about("NextDue", got.NextDue, pace)
		c.pass(pace)
	}
	equal(c, "claims after another pace", len(c.claim(10)), 1)
}

func testThrottleRestart(c *check) {
	sub := c.paced()
	before := c.health(sub.ID)
	c.reopen()
	equal(c, "health after a restart", sameClock(c.health(sub.ID)), sameClock(before))
	equal(c, "claims while held", len(c.claim(10)), 0)
	c.pass(max(before.Pace, c.short))
	equal(c, "claims at once", len(c.claim(10)), 1)
}

func testRefused(c *check) {
	sub := c.subscribe()
	c.publish(20)
	c.counts(delivered(c.claimOne()))
	refused := func() {
		o := failed(c.claimOne(), c.long)
		o.Effect, o.Attempt.Status, o.Probe = store.EffectRefused, 422, probeIn(c.long)
		c.counts(o)
	}
	for range 3 {
		refused()
		c.pass(c.short)
	}
	h := c.health(sub.ID)
	if h.FailingFor < 2*c.short || h.LastFailureAt.IsZero() {
		c.errorf("health: got %+v, want a FailingFor of 2 × %v", h, c.short)
	}
	h.FailingFor = 0
	equal(c, "health after refusals", timeless(h), store.Health{Healthy: true})
	c.counts(delivered(c.claimOne()))
	equal(c, "health after a success", c.health(sub.ID), store.Health{Healthy: true})
}

func testEffectNone(c *check) {
	sub := c.subscribe()
	c.publish(1)
	o := failed(c.claimOne(), 0)
	o.Effect, o.Attempt.Status, o.Probe = store.EffectNone, 0, probeIn(c.long)
	c.counts(o)
	equal(c, "health", c.health(sub.ID), store.Health{})
	cl := c.claimOne()
	equal(c, "Attempt", cl.Attempt, 2)
	equal(c, "Retry", cl.Retry, 1)
}

func testSlow(c *check) {
	c.healthy("quick.one")
	c.subscribe("slow.one")
	c.publishTo("slow.one", 9)
	o := delivered(c.claimOne())
	o.Attempt.Duration = 14 * time.Second
	h := c.counts(o).After
	equal(c, "class", h.Class(), store.ClassSlow)
	c.publishTo("quick.one", 9)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 3, MaxFailing: 2}
	c.perType("claims", c.claimWith(req).Claims, map[string]int{"slow.one": 3, "quick.one": 9})
}
