package queue

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// perType sorts claims by their type, of which there must be so many.
func perType(c *check.Driver, what string, claims []store.Claim, want map[string]int) map[string][]store.Claim {
	got := make(map[string][]store.Claim)
	for _, cl := range claims {
		got[cl.EventType] = append(got[cl.EventType], cl)
	}
	for eventType, n := range want {
		check.Equal(c, what+" of "+eventType, len(got[eventType]), n)
	}
	return got
}

func testClasses(c *check.Driver) {
	const each = 9
	check.Healthy(c, "healthy.one")
	for range 3 {
		check.Failing(c, "failing.one", 1)
	}
	for range 2 {
		c.Subscribe("new.one")
	}
	for _, eventType := range []string{"new.one", "failing.one", "healthy.one"} {
		c.PublishTo(eventType, each)
	}
	perType(c, "claims of 12", c.Claim(12), map[string]int{"healthy.one": 4, "new.one": 4, "failing.one": 4})
	var single []store.Claim
	for range 9 {
		single = append(single, c.ClaimOne())
	}
	perType(c, "nine claims of 1", single, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 3})
	rest := map[string]int{"healthy.one": each - 7, "new.one": 2*each - 7, "failing.one": 3*each - 7}
	perType(c, "claims of all that is left", c.Claim(100), rest)
}

func testClassesFull(c *check.Driver) {
	check.Healthy(c, "healthy.one")
	check.Failing(c, "failing.one", 1)
	c.Subscribe("new.one")
	for _, eventType := range []string{"failing.one", "new.one", "healthy.one"} {
		c.PublishTo(eventType, 10)
	}
	req := store.ClaimRequest{Max: 8, MaxFailing: 2}
	perType(c, "claims of 8", c.ClaimWith(req).Claims, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 2})
	var single []store.Claim
	req.Max = 1
	for range 6 {
		single = append(single, c.ClaimWith(req).Claims...)
	}
	perType(c, "six claims of 1", single, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 0})
}

func testNewAtOnce(c *check.Driver) {
	check.Healthy(c, "healthy.one")
	for range 12 {
		check.Failing(c, "failing.one", 1)
	}
	c.PublishTo("failing.one", 5)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 6, MaxFailing: 4}
	check.Equal(c, "claims of those that fail", len(c.ClaimWith(req).Claims), 4)
	late := c.Subscribe("new.one")
	c.PublishTo("new.one", 1)
	req.Max = 1
	check.Equal(c, "claims of a new one beside them", check.PerSubscription(c.ClaimWith(req).Claims)[late.ID], 1)
	c.PublishTo("healthy.one", 5)
	c.Subscribe("newer.one")
	c.PublishTo("newer.one", 1)
	req.Max = 2
	perType(c, "claims of 2", c.ClaimWith(req).Claims, map[string]int{"healthy.one": 1, "newer.one": 1})
}
