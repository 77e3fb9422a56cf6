package queue

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func throttleRules() []check.Rule {
	return []check.Rule{
		{Name: "hold", Test: testThrottleHold,
			Sentence: "A throttled answer holds its whole subscription for ThrottleFor, and no " +
				"other."},
		{Name: "success", Test: testThrottleSuccess,
			Sentence: "A success does not end the hold of a throttled answer."},
		{Name: "health", Test: testThrottleHealth,
			Sentence: "A throttled answer is no failure, and halves the limit until a success."},
		{Name: "pace", Test: testThrottlePace,
			Sentence: "With a Pace, no two deliveries of a subscription are claimed in less time."},
		{Name: "restart", Test: testThrottleRestart, Restarts: true,
			Sentence: "The hold and the pace of a subscription outlast a restart."},
		{Name: "refused", Test: testRefused,
			Sentence: "A refusal leaves the health as it is, but for FailingFor."},
		{Name: "none", Test: testEffectNone,
			Sentence: "An attempt that says nothing of the endpoint leaves the health as it is, " +
				"and counts for the delivery."},
		{Name: "slow", Test: testSlow,
			Sentence: "A subscription whose attempts take longer than SlowLatency shares " +
				"MaxUnhealthy."},
	}
}

// throttled is the outcome of an attempt that was answered with 429.
func throttled(cl store.Claim, d time.Duration) store.Outcome {
	o := check.Failed(cl, d)
	o.Attempt.Status, o.Effect, o.ThrottleFor, o.KeepRetry = 429, store.EffectThrottled, d, true
	return o
}

func testThrottleHold(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(3)
	held := time.Now()
	for _, cl := range c.Claim(2) {
		if cl.SubscriptionID == sub.ID {
			held = time.Now()
			h := c.Counts(throttled(cl, c.Short)).After
			c.Near("HeldUntil", h.HeldUntil, held.Add(c.Short))
		} else {
			c.Counts(check.Delivered(cl))
		}
	}
	got := c.ClaimWith(store.ClaimRequest{Max: 10})
	early := check.PerSubscription(got.Claims)
	check.Equal(c, "claims of the other", early[other.ID], 2)
	if got.NextDue > c.Short {
		c.Errorf("NextDue: got %v, want the end of the hold in %v at most", got.NextDue, c.Short)
	}
	if !c.Late(held) {
		check.Equal(c, "claims of the one that is held", early[sub.ID], 0)
	}
	c.Pass(c.Short)
	late := check.PerSubscription(c.Claim(10))
	check.Equal(c, "claims once the hold is over", early[sub.ID]+late[sub.ID], 3)
}

func testThrottleSuccess(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(2)
	c.Counts(throttled(claims[0], c.Long))
	c.Counts(check.Delivered(claims[1]))
	check.Equal(c, "claims after a success", len(c.Claim(10)), 0)
	if h := c.Health(sub.ID); !h.Healthy || h.HeldUntil.IsZero() {
		c.Errorf("health after a success: got %+v, want it healthy and held", h)
	}
}

func testThrottleHealth(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(30)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(throttled(c.ClaimOne(), c.Short))
	h := c.Health(sub.ID)
	check.Equal(c, "Failures", h.Failures, 0)
	check.Equal(c, "Healthy", h.Healthy, true)
	check.Equal(c, "SlowStart", h.SlowStart, 1)
	c.Pass(c.Short)
	req := store.ClaimRequest{Max: 100, PerSubscription: 16}
	claims := c.ClaimWith(req).Claims
	check.Equal(c, "claims with half the limit", len(claims), 8)
	check.Equal(c, "Retry after a throttled answer", perRetry(claims), 0)
	c.Counts(check.Delivered(claims[0]))
	check.Equal(c, "claims once it is whole again", len(c.ClaimWith(req).Claims), 9)
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
func paced(c *check.Driver) store.Subscription {
	sub := c.Subscribe()
	c.Publish(5)
	c.Counts(throttled(c.ClaimOne(), c.Short))
	c.Pass(c.Short)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(throttled(c.ClaimOne(), c.Short))
	if h := c.Health(sub.ID); h.Pace < c.Short/2 {
		c.Errorf("health: got %+v, want a Pace of about the hold of %v", h, c.Short)
	}
	return sub
}

func testThrottlePace(c *check.Driver) {
	sub := paced(c)
	pace := c.Health(sub.ID).Pace
	c.Pass(max(pace, c.Short))
	for range 2 {
		got := c.ClaimWith(store.ClaimRequest{Max: 10})
		check.Equal(c, "claims at once", len(got.Claims), 1)
		about(c, "NextDue", got.NextDue, pace)
		c.Pass(pace)
	}
	check.Equal(c, "claims after another pace", len(c.Claim(10)), 1)
}

func testThrottleRestart(c *check.Driver) {
	sub := paced(c)
	before := c.Health(sub.ID)
	c.Reopen()
	check.Equal(c, "health after a restart", check.SameClock(c.Health(sub.ID)),
		check.SameClock(before))
	c.Pass(max(before.Pace, c.Short))
	claims := c.Claim(10)
	check.Equal(c, "claims at once", len(claims), 1)
	// A hold that is not over before the rule is, however long the store takes to open: a machine
	// with much else to do can take longer than a short one.
	if len(claims) == 1 {
		c.Counts(throttled(claims[0], c.Long))
	}
	c.Reopen()
	check.Equal(c, "claims while held", len(c.Claim(10)), 0)
}

func testRefused(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(20)
	c.Counts(check.Delivered(c.ClaimOne()))
	refused := func() {
		o := check.Failed(c.ClaimOne(), c.Long)
		o.Effect, o.Attempt.Status, o.Probe = store.EffectRefused, 422, check.ProbeIn(c.Long)
		c.Counts(o)
	}
	for range 3 {
		refused()
		c.Pass(c.Short)
	}
	h := c.Health(sub.ID)
	if h.FailingFor < 2*c.Short || h.LastFailureAt.IsZero() {
		c.Errorf("health: got %+v, want a FailingFor of 2 × %v", h, c.Short)
	}
	h.FailingFor = 0
	check.Equal(c, "health after refusals", check.Timeless(h), store.Health{Healthy: true})
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "health after a success", c.Health(sub.ID), store.Health{Healthy: true})
}

func testEffectNone(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	o := check.Failed(c.ClaimOne(), 0)
	o.Effect, o.Attempt.Status, o.Probe = store.EffectNone, 0, check.ProbeIn(c.Long)
	c.Counts(o)
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	cl := c.ClaimOne()
	check.Equal(c, "Attempt", cl.Attempt, 2)
	check.Equal(c, "Retry", cl.Retry, 1)
}

func testSlow(c *check.Driver) {
	check.Healthy(c, "quick.one")
	c.Subscribe("slow.one")
	c.PublishTo("slow.one", 9)
	o := check.Delivered(c.ClaimOne())
	o.Attempt.Duration = 14 * time.Second
	h := c.Counts(o).After
	check.Equal(c, "class", h.Class(), store.ClassSlow)
	c.PublishTo("quick.one", 9)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 3, MaxFailing: 2}
	perType(c, "claims", c.ClaimWith(req).Claims, map[string]int{"slow.one": 3, "quick.one": 9})
}
