package outcomes

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func healthRules() []check.Rule {
	return []check.Rule{
		{Name: "success", Test: testHealthSuccess,
			Sentence: "After Delivered the health is Healthy, and nothing is left of failures " +
				"but SlowStart."},
		{Name: "failure", Test: testHealthFailure,
			Sentence: "After Pending and Dead it is not Healthy, and Failures grows by one."},
		{Name: "recovering", Test: testHealthRecovering,
			Sentence: "After a success SlowStart is the number of Failures that it ended, at " +
				"most MaxSlowStart, or one less than before when there were none; after a " +
				"failure it is zero."},
		{Name: "hold", Test: testHealthHold,
			Sentence: "The failure that opens the breaker plans a probe; earlier failures plan " +
				"none."},
		{Name: "hold-again", Test: testHealthHoldAgain,
			Sentence: "Each probe that fails plans another, and Probes counts them."},
		{Name: "hold-delivered", Test: testHealthHoldDelivered,
			Sentence: "A success ends a hold and starts none."},
		{Name: "failing-for", Test: testFailingFor,
			Sentence: "FailingFor is the time over which the failures are spread."},
		{Name: "failing-for-cap", Test: testFailingForCap, Days: true,
			Sentence: "A gap between two failures counts as MaxFailureGap at most."},
		{Name: "apart", Test: testHealthApart,
			Sentence: "Each subscription has a health of its own."},
	}
}

func testHealthSuccess(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Counts(check.Held(c.ClaimOne(), 0, c.Short))
	c.Pass(c.Short)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	if h := c.Health(sub.ID); h.Failures != 2 || h.Probes != 1 || h.FailingFor <= 0 ||
		h.NextProbeAt.IsZero() {
		c.Errorf("health: got %+v, want 2 Failures, 1 Hold, and FailingFor and NextProbeAt set", h)
	}
	want := store.Health{Healthy: true, SlowStart: 2}
	r := c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "After", *r.After, want)
	check.Equal(c, "health", c.Health(sub.ID), want)
	check.Equal(c, "Claim.Health", *c.ClaimOne().Health, want)
}

func testHealthFailure(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	c.Counts(check.Delivered(claims[0]))
	for i, o := range []store.Outcome{check.Failed(claims[1], c.Long), check.Dead(claims[2]),
		check.Failed(claims[3], 0)} {
		r := c.Counts(o)
		check.Equal(c, "After.Healthy", r.After.Healthy, false)
		check.Equal(c, "After.Failures", r.After.Failures, i+1)
		check.Equal(c, "Before.Failures", r.Before.Failures, i)
		check.Equal(c, "Stats' health", c.Health(sub.ID).Failures, i+1)
	}
	check.Equal(c, "Claim.Health.Failures", c.ClaimOne().Health.Failures, 3)
}

func testHealthRecovering(c *check.Driver) {
	sub := c.Subscribe()
	for _, tc := range []struct {
		failures int
		want     []int // after each success
	}{
		{0, []int{0, 0}},
		{3, []int{3, 2, 1, 0, 0}},
		{store.MaxSlowStart + 1, []int{store.MaxSlowStart, store.MaxSlowStart - 1}},
		{2, []int{2}},
		{1, []int{1, 0}},
	} {
		c.Publish(tc.failures + len(tc.want))
		for range tc.failures {
			check.Equal(c, "SlowStart after a failure",
				c.Counts(check.Dead(c.ClaimOne())).After.SlowStart, 0)
		}
		for i, want := range tc.want {
			r := c.Counts(check.Delivered(c.ClaimOne()))
			what := fmt.Sprintf("SlowStart after %d failures and %d successes", tc.failures, i+1)
			check.Equal(c, what, r.After.SlowStart, want)
			check.Equal(c, what+", in Stats", c.Health(sub.ID).SlowStart, want)
		}
	}
}

func testHealthHold(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	now := time.Now()
	for i, tc := range []struct {
		hold time.Duration
		want store.Health // NextProbeAt apart
		end  time.Duration
	}{
		{c.Long / 2, store.Health{Failures: 1, Probes: 1}, c.Long / 2},
		{c.Long, store.Health{Failures: 2, Probes: 1}, c.Long / 2},
		{c.Short, store.Health{Failures: 3, Probes: 1}, c.Long / 2},
		{0, store.Health{Failures: 4, Probes: 1}, c.Long / 2},
	} {
		got := c.Counts(check.Held(claims[i], 0, tc.hold)).After
		check.Equal(c, "Failures", got.Failures, tc.want.Failures)
		check.Equal(c, "Holds", got.Probes, tc.want.Probes)
		c.Near("NextProbeAt", got.NextProbeAt, now.Add(tc.end))
		check.Equal(c, "health", check.SameClock(c.Health(sub.ID)), check.SameClock(*got))
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
}

func testHealthHoldAgain(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	for n := range 3 {
		c.Counts(check.Held(c.ClaimOne(), 0, c.Short))
		check.Equal(c, "Holds", c.Health(sub.ID).Probes, n+1)
		c.Pass(c.Short)
	}
}

func testHealthHoldDelivered(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	claims := c.Claim(2)
	c.Counts(check.Held(claims[0], c.Long, c.Long))
	check.Equal(c, "claims while held", len(c.Claim(10)), 0)
	o := check.Delivered(claims[1])
	o.Probe = check.ProbeIn(c.Long)
	check.Equal(c, "After", *c.Counts(o).After, store.Health{Healthy: true, SlowStart: 1})
	check.Equal(c, "claims after a success", len(c.Claim(10)), 2)
}

func testFailingFor(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	gap := c.Short + c.Slack
	for n := range 4 {
		c.Counts(check.Failed(c.ClaimOne(), 0))
		got := c.Health(sub.ID).FailingFor
		want := time.Duration(n) * gap
		if got < want || got > want+c.Skew {
			c.Errorf("FailingFor after %d failures %v apart: got %v, want about %v", n+1, gap, got,
				want)
		}
		c.Pass(c.Short)
	}
}

func testFailingForCap(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	const gap = store.MaxFailureGap
	c.Counts(check.Failed(c.ClaimOne(), 0))
	for _, step := range []struct{ wait, total time.Duration }{
		{gap / 2, gap / 2},
		{10 * gap, gap/2 + gap},
		{3000 * gap, gap/2 + 2*gap},
		{gap / 4, gap/4 + gap/2 + 2*gap},
	} {
		c.Pass(step.wait)
		c.Counts(check.Failed(c.ClaimOne(), 0))
		if got := c.Health(sub.ID).FailingFor; got < step.total || got > step.total+time.Minute {
			c.Errorf("FailingFor after a gap of %v: got %v, want about %v", step.wait, got,
				step.total)
		}
	}
}

func testHealthApart(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(1)
	for _, cl := range c.Claim(2) {
		if cl.SubscriptionID == sub.ID {
			c.Counts(check.Held(cl, 0, c.Long))
		}
	}
	check.Equal(c, "the other's health", c.Health(other.ID), store.Health{})
	check.Equal(c, "Failures", c.Health(sub.ID).Failures, 1)
}
