package queue

import (
	"fmt"
	"maps"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func limitRules() []check.Rule {
	return []check.Rule{
		{Name: "per-subscription", Test: testPerSubscription,
			Sentence: "PerSubscription limits how many deliveries of one subscription are " +
				"leased at once, by all callers together."},
		{Name: "own", Test: testOwnLimit,
			Sentence: "A Pause with a Limit is the PerSubscription of one subscription, less or " +
				"more, for as long as it says."},
		{Name: "own-ends", Test: testOwnLimitEnds,
			Sentence: "A subscription's own limit ends with its time, with a Pause of zero and " +
				"the same Limit, and with another one."},
		{Name: "own-pause", Test: testOwnLimitPause,
			Sentence: "A limit of its own and a pause of a subscription do not replace each " +
				"other."},
		{Name: "own-recovering", Test: testOwnLimitRecovering,
			Sentence: "A subscription's own limit is halved by its slow start, and is one while " +
				"its breaker is open."},
		{Name: "expiry", Test: testLimitsExpiry,
			Sentence: "A lease that has run out does not count against the limits."},
		{Name: "unhealthy", Test: testUnhealthy,
			Sentence: "MaxUnhealthy limits how many deliveries are leased at once of all " +
				"subscriptions together that are not Healthy."},
		{Name: "failing", Test: testFailing,
			Sentence: "MaxFailing limits how many deliveries are leased at once of all " +
				"subscriptions together that have Failures."},
		{Name: "follow-health", Test: testLimitsFollowHealth,
			Sentence: "What is leased counts as unhealthy and as failing by the subscription's " +
				"present health."},
		{Name: "probe-after", Test: testProbeAfter,
			Sentence: "BreakerThreshold limits a subscription with so many Failures or more to " +
				"one lease at a time."},
		{Name: "recovering", Test: testRecovering,
			Sentence: "After failures PerSubscription is halved for each of Health.SlowStart, " +
				"down to one, and so comes back by doubling with each success."},
		{Name: "recovering-failure", Test: testRecoveringFailure,
			Sentence: "A failure ends the slow start; the next success starts another."},
		{Name: "none", Test: testNoLimits,
			Sentence: "A limit of zero is no limit."},
		{Name: "elsewhere", Test: testElsewhere,
			Sentence: "What is leased Elsewhere counts against MaxUnhealthy and MaxFailing."},
		{Name: "leased", Test: testLeased,
			Sentence: "ClaimResult.Leased counts what is leased after the call, by the " +
				"subscriptions' present health."},
		{Name: "apart", Test: testLimitsApart,
			Sentence: "A subscription at its limit delays no other."},
	}
}

func testPerSubscription(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(10)
	req := store.ClaimRequest{Max: 100, PerSubscription: 3}
	first := c.ClaimWith(req).Claims
	want := map[string]int{sub.ID: 3, other.ID: 3}
	if got := check.PerSubscription(first); !maps.Equal(got, want) {
		c.Errorf("claims: got %v, want %v", got, want)
	}
	check.Equal(c, "claims at the limit", len(c.ClaimWith(req).Claims), 0)
	c.Finish(check.Delivered(first[0]), check.Failed(first[1], c.Long))
	c.Release(first[2])
	check.Equal(c, "claims once there is room for three", len(c.ClaimWith(req).Claims), 3)
	req.PerSubscription = 5
	check.Equal(c, "claims once the limit is higher by two", len(c.ClaimWith(req).Claims), 4)
}

func testOwnLimit(c *check.Driver) {
	few, many, other := c.Subscribe(), c.Subscribe(), c.Subscribe()
	c.Publish(10)
	req := store.ClaimRequest{Max: 100, PerSubscription: 3, Pauses: []store.Pause{
		{SubscriptionID: few.ID, For: c.Long, Limit: 1},
		{SubscriptionID: many.ID, For: c.Long, Limit: 7},
	}}
	first := c.ClaimWith(req).Claims
	want := map[string]int{few.ID: 1, many.ID: 7, other.ID: 3}
	if got := check.PerSubscription(first); !maps.Equal(got, want) {
		c.Errorf("claims: got %v, want %v", got, want)
	}
	req.Pauses = nil // they last
	check.Equal(c, "claims at the limits", len(c.ClaimWith(req).Claims), 0)
	c.Release(first...)
	if got := check.PerSubscription(c.ClaimWith(req).Claims); !maps.Equal(got, want) {
		c.Errorf("claims once all were given back: got %v, want %v", got, want)
	}
}

func testOwnLimitEnds(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(20)
	limit := func(n int, d time.Duration) int {
		return len(c.ClaimWith(store.ClaimRequest{Max: 100, PerSubscription: 6,
			Pauses: []store.Pause{{SubscriptionID: sub.ID, For: d, Limit: n}}}).Claims)
	}
	check.Equal(c, "claims within a limit of its own", limit(1, c.Long), 1)
	check.Equal(c, "claims with a higher one", limit(3, c.Long), 2)
	check.Equal(c, "claims with a lower one", limit(1, c.Long), 0)
	check.Equal(c, "claims once it has ended", limit(1, 0), 3)
	check.Equal(c, "claims with a higher one than all have", limit(8, c.Short), 2)
	c.Pass(c.Short)
	claims := c.ClaimWith(store.ClaimRequest{Max: 100, PerSubscription: 9}).Claims
	check.Equal(c, "claims once its time is over", len(claims), 1)
}

func testOwnLimitPause(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(10)
	req := store.ClaimRequest{Max: 100, PerSubscription: 5, Pauses: []store.Pause{
		{SubscriptionID: sub.ID, For: c.Long, Limit: 2}, {SubscriptionID: sub.ID, For: c.Long},
	}}
	check.Equal(c, "claims of a limited one that is paused", len(c.ClaimWith(req).Claims), 0)
	req.Pauses = []store.Pause{{SubscriptionID: sub.ID, For: c.Long, Limit: 3}}
	check.Equal(c, "claims with another limit", len(c.ClaimWith(req).Claims), 0)
	c.Pause(sub.ID, 0)
	req.Pauses = nil
	check.Equal(c, "claims without the pause", len(c.ClaimWith(req).Claims), 3)
}

func testOwnLimitRecovering(c *check.Driver) {
	sub := check.Failing(c, "failing.one", 2)
	c.PublishTo("failing.one", 40)
	req := store.ClaimRequest{Max: 100, PerSubscription: 4, BreakerThreshold: 2,
		Pauses: []store.Pause{{SubscriptionID: sub.ID, For: c.Long, Limit: 16}}}
	claims := c.ClaimWith(req).Claims
	check.Equal(c, "claims while its breaker is open", len(claims), 1)
	req.Pauses = nil
	for _, want := range []int{4, 8, 16} {
		if len(claims) == 0 {
			return
		}
		c.Counts(check.Delivered(claims[0]))
		c.Release(claims[1:]...)
		claims = c.ClaimWith(req).Claims
		check.Equal(c, "claims by slow start", len(claims), want)
	}
}

func testLimitsExpiry(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 1, MaxUnhealthy: 1, MaxFailing: 1,
		Lease: c.Short}
	check.Equal(c, "claims", len(c.ClaimWith(req).Claims), 1)
	c.Pass(c.Short)
	check.Equal(c, "claims once the lease has run out", len(c.ClaimWith(req).Claims), 1)
}

func testUnhealthy(c *check.Driver) {
	healthy := check.Healthy(c, "healthy.one")
	for range 5 {
		c.Subscribe("unhealthy.one")
	}
	c.PublishTo("healthy.one", 10)
	c.PublishTo("unhealthy.one", 10)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 4}
	first := c.ClaimWith(req).Claims
	got := check.PerSubscription(first)
	check.Equal(c, "claims of the Healthy one", got[healthy.ID], 10)
	check.Equal(c, "claims of the others", len(first)-got[healthy.ID], 4)
	for id, n := range got {
		if id != healthy.ID && n != 1 {
			c.Errorf("claims of %s: got %d, want the four to be of four", id, n)
		}
	}
	check.Equal(c, "claims at the limit", len(c.ClaimWith(req).Claims), 0)
	for _, cl := range first {
		if cl.SubscriptionID != healthy.ID {
			c.Release(cl)
			break
		}
	}
	check.Equal(c, "claims once there is room for one", len(c.ClaimWith(req).Claims), 1)
}

func testFailing(c *check.Driver) {
	check.Healthy(c, "healthy.one")
	for range 5 {
		check.Failing(c, "failing.one", 1)
	}
	fresh := c.Subscribe("new.one")
	c.PublishTo("healthy.one", 10)
	c.PublishTo("failing.one", 10)
	c.PublishTo("new.one", 10)
	req := store.ClaimRequest{Max: 100, MaxFailing: 3, MaxUnhealthy: 5}
	first := c.ClaimWith(req).Claims
	byType := perType(c, "claims", first,
		map[string]int{"healthy.one": 10, "failing.one": 3, "new.one": 2})
	for id, n := range check.PerSubscription(byType["failing.one"]) {
		// In real time the attempt that failed has taken longer for some, and they come later.
		if n != 1 && !c.Slow {
			c.Errorf("claims of %s: got %d, want the three to be of three", id, n)
		}
	}
	check.Equal(c, "claims at the limits", len(c.ClaimWith(req).Claims), 0)
	c.Release(byType["failing.one"][0])
	req.MaxUnhealthy = 20
	second := c.ClaimWith(req).Claims
	perType(c, "claims once there is room for one", second,
		map[string]int{"failing.one": 1, "new.one": 8})
	check.Equal(c, "claims of the new one", check.PerSubscription(second)[fresh.ID], 8)
}

func testLimitsFollowHealth(c *check.Driver) {
	c.Subscribe("one.type")
	c.Subscribe("two.type")
	c.PublishTo("one.type", 4)
	first := c.Claim(4)
	c.PublishTo("two.type", 5)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 3, MaxFailing: 2}
	check.Equal(c, "claims while four of a new one are leased", len(c.ClaimWith(req).Claims), 0)
	c.Counts(check.Delivered(first[0]))
	two := c.ClaimWith(req).Claims
	check.Equal(c, "claims once those are of a Healthy one", len(two), 3)
	c.Counts(check.Failed(first[1], c.Long))
	req.MaxUnhealthy = 6
	more := c.ClaimWith(req).Claims
	check.Equal(c, "claims once it is not Healthy any more, one more than is leased", len(more), 1)
	c.Counts(check.Failed(two[0], 0))
	req.MaxUnhealthy = 0
	check.Equal(c, "claims while five of failing ones are leased", len(c.ClaimWith(req).Claims), 0)
	c.Counts(check.Delivered(two[1]))
	check.Equal(c, "claims of what is due of the one that is Healthy now",
		len(c.ClaimWith(req).Claims), 2)
	req.MaxFailing = 3
	c.PublishTo("one.type", 2)
	check.Equal(c, "claims of the failing one, one more than is leased",
		len(c.ClaimWith(req).Claims), 1)
}

func testProbeAfter(c *check.Driver) {
	sub, other := c.Subscribe("failing.one"), c.Subscribe("other.one")
	c.PublishTo("failing.one", 10)
	c.PublishTo("other.one", 10)
	failures := 0
	for _, cl := range c.Claim(10) {
		if cl.SubscriptionID == sub.ID && failures < 3 {
			c.Counts(check.Failed(cl, c.Long))
			failures++
		} else {
			c.Release(cl)
		}
	}
	check.Equal(c, "failures", failures, 3)
	req := store.ClaimRequest{Max: 10, BreakerThreshold: 4, PerSubscription: 3}
	claims := c.ClaimWith(req).Claims
	check.Equal(c, "claims of one with fewer failures", check.PerSubscription(claims)[sub.ID], 3)
	c.Release(claims...)
	req.BreakerThreshold = 3
	claims = c.ClaimWith(req).Claims
	check.Equal(c, "claims of one with as many failures", check.PerSubscription(claims)[sub.ID], 1)
	check.Equal(c, "claims of one without", check.PerSubscription(claims)[other.ID], 3)
	check.Equal(c, "claims while one is leased",
		check.PerSubscription(c.ClaimWith(req).Claims)[sub.ID], 0)
	for _, cl := range claims {
		if cl.SubscriptionID == sub.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	req.PerSubscription = 24
	check.Equal(c, "claims after a success, at an eighth of the limit",
		check.PerSubscription(c.ClaimWith(req).Claims)[sub.ID], 3)
}

func testNoLimits(c *check.Driver) {
	c.Subscribe()
	c.Publish(40)
	for _, cl := range c.Claim(20) {
		c.Counts(check.Failed(cl, 0))
	}
	check.Equal(c, "claims without limits", len(c.Claim(100)), 40)
}

func testElsewhere(c *check.Driver) {
	check.Healthy(c, "healthy.one")
	check.Failing(c, "failing.one", 1)
	c.Subscribe("new.one")
	for _, eventType := range []string{"healthy.one", "failing.one", "new.one"} {
		c.PublishTo(eventType, 5)
	}
	req := store.ClaimRequest{Max: 100, MaxFailing: 3, MaxUnhealthy: 6,
		Elsewhere: store.Leased{Unhealthy: 3, Failing: 2}}
	perType(c, "claims beside others", c.ClaimWith(req).Claims,
		map[string]int{"healthy.one": 5, "failing.one": 1, "new.one": 2})
	req.Elsewhere = store.Leased{Unhealthy: 2, Failing: 2}
	perType(c, "claims once others have one less", c.ClaimWith(req).Claims,
		map[string]int{"failing.one": 0, "new.one": 1})
}

func testLeased(c *check.Driver) {
	leased := func(unhealthy, failing int) {
		check.Equal(c, "Leased", c.ClaimWith(store.ClaimRequest{}).Leased,
			store.Leased{Unhealthy: unhealthy, Failing: failing})
	}
	check.Healthy(c, "healthy.one")
	check.Failing(c, "failing.one", 1)
	c.Subscribe("new.one")
	leased(0, 0)
	for _, eventType := range []string{"healthy.one", "failing.one", "new.one"} {
		c.PublishTo(eventType, 2)
	}
	got := c.ClaimWith(store.ClaimRequest{Max: 100})
	check.Equal(c, "Leased with the claims", got.Leased, store.Leased{Unhealthy: 4, Failing: 2})
	byType := perType(c, "claims", got.Claims,
		map[string]int{"healthy.one": 2, "failing.one": 2, "new.one": 2})
	c.Release(byType["new.one"][0])
	leased(3, 2)
	c.Counts(check.Failed(byType["healthy.one"][0], c.Long))
	leased(4, 3)
	c.Counts(check.Delivered(byType["failing.one"][0]))
	leased(2, 1)
}

func testLimitsApart(c *check.Driver) {
	full := c.Subscribe("full.one")
	c.PublishTo("full.one", 10)
	req := store.ClaimRequest{Max: 2, PerSubscription: 2}
	check.Equal(c, "claims of the first", check.PerSubscription(c.ClaimWith(req).Claims)[full.ID],
		2)
	other := c.Subscribe("other.one")
	c.PublishTo("other.one", 2)
	check.Equal(c, "claims of another", check.PerSubscription(c.ClaimWith(req).Claims)[other.ID], 2)
}

func testRecovering(c *check.Driver) {
	const full = 16
	req := store.ClaimRequest{Max: 100, PerSubscription: full, MaxFailing: 1, BreakerThreshold: 1}
	for i, failures := range []int{1, 3, store.MaxSlowStart, store.MaxSlowStart + 2} {
		eventType := fmt.Sprintf("type.n%d", i)
		sub := check.Failing(c, eventType, failures)
		c.PublishTo(eventType, 3*full)
		claims := c.ClaimWith(req).Claims
		check.Equal(c, "claims of the failing one", len(claims), 1)
		for left := min(failures, store.MaxSlowStart); left >= 0; left-- {
			c.Counts(check.Delivered(claims[0]))
			c.Release(claims[1:]...)
			h := c.Health(sub.ID)
			check.Equal(c, "health", h, store.Health{Healthy: true, SlowStart: left})
			claims = c.ClaimWith(req).Claims
			what := fmt.Sprintf("claims after %d failures, with %d of SlowStart", failures, left)
			check.Equal(c, what, len(claims), max(1, full>>left))
			if len(claims) == 0 {
				return
			}
		}
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	}
}

func testRecoveringFailure(c *check.Driver) {
	sub := check.Failing(c, "failing.one", 3)
	c.PublishTo("failing.one", 20)
	req := store.ClaimRequest{Max: 100, PerSubscription: 8}
	c.Counts(check.Delivered(c.ClaimOne()))
	claims := c.ClaimWith(req).Claims
	check.Equal(c, "claims after a success", len(claims), 1)
	for _, cl := range claims {
		c.Counts(check.Failed(cl, c.Long))
	}
	check.Equal(c, "health after a failure", check.Timeless(c.Health(sub.ID)),
		store.Health{Failures: 1})
	claims = c.ClaimWith(req).Claims
	check.Equal(c, "claims after a failure", len(claims), 8)
	c.Release(claims...)
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "health after another success", c.Health(sub.ID),
		store.Health{Healthy: true, SlowStart: 1})
	check.Equal(c, "claims after another success", len(c.ClaimWith(req).Claims), 4)
}
