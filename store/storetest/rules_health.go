package storetest

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

func healthRules() []rule {
	return []rule{
		{name: "success", test: testHealthSuccess,
			rule: "After Delivered the health is Healthy, and nothing is left of failures but SlowStart."},
		{name: "failure", test: testHealthFailure,
			rule: "After Pending and Dead it is not Healthy, and Failures grows by one."},
		{name: "recovering", test: testHealthRecovering,
			rule: "After a success SlowStart is the number of Failures that it ended, at most MaxSlowStart, or one " +
				"less than before when there were none; after a failure it is zero."},
		{name: "hold", test: testHealthHold,
			rule: "The failure that opens the breaker plans a probe; what comes before it changes nothing of that."},
		{name: "hold-again", test: testHealthHoldAgain,
			rule: "Each probe that fails plans another, and Probes counts them."},
		{name: "hold-delivered", test: testHealthHoldDelivered,
			rule: "A success holds nothing, and lifts the hold that there is."},
		{name: "failing-for", test: testFailingFor,
			rule: "FailingFor is the time over which the failures are spread."},
		{name: "failing-for-cap", test: testFailingForCap, days: true,
			rule: "A gap between two failures counts as MaxFailureGap at most."},
		{name: "apart", test: testHealthApart,
			rule: "Each subscription has a health of its own."},
	}
}

func testHealthSuccess(c *check) {
	sub := c.subscribe()
	c.publish(2)
	c.counts(held(c.claimOne(), 0, c.short))
	c.pass(c.short)
	c.counts(failed(c.claimOne(), 0))
	if h := c.health(sub.ID); h.Failures != 2 || h.Probes != 1 || h.FailingFor <= 0 || h.NextProbeAt.IsZero() {
		c.errorf("health: got %+v, want 2 Failures, 1 Hold, and FailingFor and NextProbeAt set", h)
	}
	want := store.Health{Healthy: true, SlowStart: 2}
	r := c.counts(delivered(c.claimOne()))
	equal(c, "After", r.After, want)
	equal(c, "health", c.health(sub.ID), want)
	equal(c, "Claim.Health", c.claimOne().Health, want)
}

func testHealthFailure(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(4)
	c.counts(delivered(claims[0]))
	for i, o := range []store.Outcome{failed(claims[1], c.long), dead(claims[2]), failed(claims[3], 0)} {
		r := c.counts(o)
		equal(c, "After.Healthy", r.After.Healthy, false)
		equal(c, "After.Failures", r.After.Failures, i+1)
		equal(c, "Before.Failures", r.Before.Failures, i)
		equal(c, "Stats' health", c.health(sub.ID).Failures, i+1)
	}
	equal(c, "Claim.Health.Failures", c.claimOne().Health.Failures, 3)
}

func testHealthRecovering(c *check) {
	sub := c.subscribe()
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
		c.publish(tc.failures + len(tc.want))
		for range tc.failures {
			equal(c, "SlowStart after a failure", c.counts(dead(c.claimOne())).After.SlowStart, 0)
		}
		for i, want := range tc.want {
			r := c.counts(delivered(c.claimOne()))
			what := fmt.Sprintf("SlowStart after %d failures and %d successes", tc.failures, i+1)
			equal(c, what, r.After.SlowStart, want)
			equal(c, what+", in Stats", c.health(sub.ID).SlowStart, want)
		}
	}
}

func testHealthHold(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(4)
	now := time.Now()
	for i, tc := range []struct {
		hold time.Duration
		want store.Health // NextProbeAt apart
		end  time.Duration
	}{
		{c.long / 2, store.Health{Failures: 1, Probes: 1}, c.long / 2},
		{c.long, store.Health{Failures: 2, Probes: 1}, c.long / 2},
		{c.short, store.Health{Failures: 3, Probes: 1}, c.long / 2},
		{0, store.Health{Failures: 4, Probes: 1}, c.long / 2},
	} {
		got := c.counts(held(claims[i], 0, tc.hold)).After
		equal(c, "Failures", got.Failures, tc.want.Failures)
		equal(c, "Holds", got.Probes, tc.want.Probes)
		c.near("NextProbeAt", got.NextProbeAt, now.Add(tc.end))
		equal(c, "health", sameClock(c.health(sub.ID)), sameClock(got))
	}
	equal(c, "claims", len(c.claim(10)), 0)
}

func testHealthHoldAgain(c *check) {
	sub := c.subscribe()
	c.publish(1)
	for n := range 3 {
		c.counts(held(c.claimOne(), 0, c.short))
		equal(c, "Holds", c.health(sub.ID).Probes, n+1)
		c.pass(c.short)
	}
}

func testHealthHoldDelivered(c *check) {
	c.subscribe()
	c.publish(3)
	claims := c.claim(2)
	c.counts(held(claims[0], c.long, c.long))
	equal(c, "claims while held", len(c.claim(10)), 0)
	o := delivered(claims[1])
	o.Probe = probeIn(c.long)
	equal(c, "After", c.counts(o).After, store.Health{Healthy: true, SlowStart: 1})
	equal(c, "claims after a success", len(c.claim(10)), 2)
}

func testFailingFor(c *check) {
	sub := c.subscribe()
	c.publish(1)
	gap := c.short + c.slack
	for n := range 4 {
		c.counts(failed(c.claimOne(), 0))
		got := c.health(sub.ID).FailingFor
		want := time.Duration(n) * gap
		if got < want || got > want+c.skew {
			c.errorf("FailingFor after %d failures %v apart: got %v, want about %v", n+1, gap, got, want)
		}
		c.pass(c.short)
	}
}

func testFailingForCap(c *check) {
	sub := c.subscribe()
	c.publish(1)
	const gap = store.MaxFailureGap
	c.counts(failed(c.claimOne(), 0))
	for _, step := range []struct{ wait, total time.Duration }{
		{gap / 2, gap / 2},
		{10 * gap, gap/2 + gap},
		{3000 * gap, gap/2 + 2*gap},
		{gap / 4, gap/4 + gap/2 + 2*gap},
	} {
		c.pass(step.wait)
		c.counts(failed(c.claimOne(), 0))
		if got := c.health(sub.ID).FailingFor; got < step.total || got > step.total+time.Minute {
			c.errorf("FailingFor after a gap of %v: got %v, want about %v", step.wait, got, step.total)
		}
	}
}

func testHealthApart(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(1)
	for _, cl := range c.claim(2) {
		if cl.SubscriptionID == sub.ID {
			c.counts(held(cl, 0, c.long))
		}
	}
	equal(c, "the other's health", c.health(other.ID), store.Health{})
	equal(c, "Failures", c.health(sub.ID).Failures, 1)
}
