package queue

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

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
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx, sub.ID))
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
	check.Equal(c, "health after a failure", check.Timeless(c.Health(sub.ID)), store.Health{Failures: 1})
	claims = c.ClaimWith(req).Claims
	check.Equal(c, "claims after a failure", len(claims), 8)
	c.Release(claims...)
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "health after another success", c.Health(sub.ID), store.Health{Healthy: true, SlowStart: 1})
	check.Equal(c, "claims after another success", len(c.ClaimWith(req).Claims), 4)
}
