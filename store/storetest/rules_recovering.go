package storetest

import (
	"fmt"

	"github.com/outhook/outhook/store"
)

func testRecovering(c *check) {
	const full = 16
	req := store.ClaimRequest{Max: 100, PerSubscription: full, MaxFailing: 1, BreakerThreshold: 1}
	for i, failures := range []int{1, 3, store.MaxSlowStart, store.MaxSlowStart + 2} {
		eventType := fmt.Sprintf("type.n%d", i)
		sub := c.failing(eventType, failures)
		c.publishTo(eventType, 3*full)
		claims := c.claimWith(req).Claims
		equal(c, "claims of the failing one", len(claims), 1)
		for left := min(failures, store.MaxSlowStart); left >= 0; left-- {
			c.counts(delivered(claims[0]))
			c.release(claims[1:]...)
			h := c.health(sub.ID)
			equal(c, "health", h, store.Health{Healthy: true, SlowStart: left})
			claims = c.claimWith(req).Claims
			what := fmt.Sprintf("claims after %d failures, with %d of SlowStart", failures, left)
			equal(c, what, len(claims), max(1, full>>left))
			if len(claims) == 0 {
				return
			}
		}
		c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	}
}

func testRecoveringFailure(c *check) {
	sub := c.failing("failing.one", 3)
	c.publishTo("failing.one", 20)
	req := store.ClaimRequest{Max: 100, PerSubscription: 8}
	c.counts(delivered(c.claimOne()))
	claims := c.claimWith(req).Claims
	equal(c, "claims after a success", len(claims), 1)
	for _, cl := range claims {
		c.counts(failed(cl, c.long))
	}
	equal(c, "health after a failure", timeless(c.health(sub.ID)), store.Health{Failures: 1})
	claims = c.claimWith(req).Claims
	equal(c, "claims after a failure", len(claims), 8)
	c.release(claims...)
	c.counts(delivered(c.claimOne()))
	equal(c, "health after another success", c.health(sub.ID), store.Health{Healthy: true, SlowStart: 1})
	equal(c, "claims after another success", len(c.claimWith(req).Claims), 4)
}
