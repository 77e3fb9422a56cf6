package storetest

import (
	"maps"

	"github.com/outhook/outhook/store"
)

func limitRules() []rule {
	return []rule{
		{name: "per-subscription", test: testPerSubscription,
			rule: "PerSubscription is how many deliveries of one subscription may be leased at once, whoever " +
				"leased them."},
		{name: "expiry", test: testLimitsExpiry,
			rule: "A lease that has run out does not count against the limits."},
		{name: "unhealthy", test: testUnhealthy,
			rule: "MaxUnhealthy is how many deliveries may be leased at once of all subscriptions together that are " +
				"not Healthy."},
		{name: "failing", test: testFailing,
			rule: "Failing is how many deliveries may be leased at once of all subscriptions together that have " +
				"Failures."},
		{name: "follow-health", test: testLimitsFollowHealth,
			rule: "What is leased counts as unhealthy and as failing by the subscription's present health."},
		{name: "probe-after", test: testProbeAfter,
			rule: "BreakerThreshold limits a subscription with so many Failures or more to one lease at a time."},
		{name: "recovering", test: testRecovering,
			rule: "After failures PerSubscription is halved for each of Health.SlowStart, down to one, and so " +
				"comes back by doubling with each success."},
		{name: "recovering-failure", test: testRecoveringFailure,
			rule: "A failure ends the recovery; the next success starts another."},
		{name: "none", test: testNoLimits,
			rule: "Limits that are zero are none."},
		{name: "apart", test: testLimitsApart,
			rule: "A subscription that is at its limit keeps nobody else waiting."},
	}
}

func testPerSubscription(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(10)
	req := store.ClaimRequest{Max: 100, PerSubscription: 3}
	first := c.claimWith(req).Claims
	want := map[string]int{sub.ID: 3, other.ID: 3}
	if got := perSubscription(first); !maps.Equal(got, want) {
		c.errorf("claims: got %v, want %v", got, want)
	}
	equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
	c.finish(delivered(first[0]), failed(first[1], c.long))
	c.release(first[2])
	equal(c, "claims once there is room for three", len(c.claimWith(req).Claims), 3)
	req.PerSubscription = 5
	equal(c, "claims once the limit is higher by two", len(c.claimWith(req).Claims), 4)
}

func testLimitsExpiry(c *check) {
	c.subscribe()
	c.publish(3)
	c.counts(failed(c.claimOne(), c.long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 1, MaxUnhealthy: 1, MaxFailing: 1, Lease: c.short}
	equal(c, "claims", len(c.claimWith(req).Claims), 1)
	c.pass(c.short)
	equal(c, "claims once the lease has run out", len(c.claimWith(req).Claims), 1)
}

func testUnhealthy(c *check) {
	healthy := c.healthy("healthy.one")
	for range 5 {
		c.subscribe("unhealthy.one")
	}
	c.publishTo("healthy.one", 10)
	c.publishTo("unhealthy.one", 10)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 4}
	first := c.claimWith(req).Claims
	got := perSubscription(first)
	equal(c, "claims of the Healthy one", got[healthy.ID], 10)
	equal(c, "claims of the others", len(first)-got[healthy.ID], 4)
	for id, n := range got {
		if id != healthy.ID && n != 1 {
			c.errorf("claims of %s: got %d, want the four to be of four", id, n)
		}
	}
	equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
	for _, cl := range first {
		if cl.SubscriptionID != healthy.ID {
			c.release(cl)
			break
		}
	}
	equal(c, "claims once there is room for one", len(c.claimWith(req).Claims), 1)
}

func testFailing(c *check) {
	c.healthy("healthy.one")
	for range 5 {
		c.failing("failing.one", 1)
	}
	fresh := c.subscribe("new.one")
	c.publishTo("healthy.one", 10)
	c.publishTo("failing.one", 10)
	c.publishTo("new.one", 10)
	req := store.ClaimRequest{Max: 100, MaxFailing: 3, MaxUnhealthy: 5}
	first := c.claimWith(req).Claims
	byType := c.perType("claims", first, map[string]int{"healthy.one": 10, "failing.one": 3, "new.one": 2})
	for id, n := range perSubscription(byType["failing.one"]) {
		if n != 1 {
			c.errorf("claims of %s: got %d, want the three to be of three", id, n)
		}
	}
	equal(c, "claims at the limits", len(c.claimWith(req).Claims), 0)
	c.release(byType["failing.one"][0])
	req.MaxUnhealthy = 20
	second := c.claimWith(req).Claims
	c.perType("claims once there is room for one", second, map[string]int{"failing.one": 1, "new.one": 8})
	equal(c, "claims of the new one", perSubscription(second)[fresh.ID], 8)
}

func testLimitsFollowHealth(c *check) {
	c.subscribe("one.type")
	c.subscribe("two.type")
	c.publishTo("one.type", 4)
	first := c.claim(4)
	c.publishTo("two.type", 5)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 3, MaxFailing: 2}
	equal(c, "claims while four of a new one are leased", len(c.claimWith(req).Claims), 0)
	c.counts(delivered(first[0]))
	two := c.claimWith(req).Claims
	equal(c, "claims once those are of a Healthy one", len(two), 3)
	c.counts(failed(first[1], c.long))
	req.MaxUnhealthy = 6
	more := c.claimWith(req).Claims
	equal(c, "claims once it is not Healthy any more, one more than is leased", len(more), 1)
	c.counts(failed(two[0], 0))
	req.MaxUnhealthy = 0
	equal(c, "claims while five of failing ones are leased", len(c.claimWith(req).Claims), 0)
	c.counts(delivered(two[1]))
	equal(c, "claims of what is due of the one that is Healthy now", len(c.claimWith(req).Claims), 2)
	req.MaxFailing = 3
	c.publishTo("one.type", 2)
	equal(c, "claims of the failing one, one more than is leased", len(c.claimWith(req).Claims), 1)
}

func testProbeAfter(c *check) {
	sub, other := c.subscribe("failing.one"), c.subscribe("other.one")
	c.publishTo("failing.one", 10)
	c.publishTo("other.one", 10)
	failures := 0
	for _, cl := range c.claim(10) {
		if cl.SubscriptionID == sub.ID && failures < 3 {
			c.counts(failed(cl, c.long))
			failures++
		} else {
			c.release(cl)
		}
	}
	equal(c, "failures", failures, 3)
	req := store.ClaimRequest{Max: 10, BreakerThreshold: 4, PerSubscription: 3}
	claims := c.claimWith(req).Claims
	equal(c, "claims of one with fewer failures", perSubscription(claims)[sub.ID], 3)
	c.release(claims...)
	req.BreakerThreshold = 3
	claims = c.claimWith(req).Claims
	equal(c, "claims of one with as many failures", perSubscription(claims)[sub.ID], 1)
	equal(c, "claims of one without", perSubscription(claims)[other.ID], 3)
	equal(c, "claims while one is leased", perSubscription(c.claimWith(req).Claims)[sub.ID], 0)
	for _, cl := range claims {
		if cl.SubscriptionID == sub.ID {
			c.counts(delivered(cl))
		}
	}
	req.PerSubscription = 24
	equal(c, "claims after a success, at an eighth of the limit", perSubscription(c.claimWith(req).Claims)[sub.ID], 3)
}

func testNoLimits(c *check) {
	c.subscribe()
	c.publish(40)
	for _, cl := range c.claim(20) {
		c.counts(failed(cl, 0))
	}
	equal(c, "claims without limits", len(c.claim(100)), 40)
}

func testLimitsApart(c *check) {
	full := c.subscribe("full.one")
	c.publishTo("full.one", 10)
	req := store.ClaimRequest{Max: 2, PerSubscription: 2}
	equal(c, "claims of the first", perSubscription(c.claimWith(req).Claims)[full.ID], 2)
	other := c.subscribe("other.one")
	c.publishTo("other.one", 2)
	equal(c, "claims of another", perSubscription(c.claimWith(req).Claims)[other.ID], 2)
}
