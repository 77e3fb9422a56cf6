package storetest

import (
	"fmt"

	"github.com/outhook/outhook/store"
)

// healthy stores a subscription that is Healthy. Nothing may be due.
func (c *check) healthy(eventType string) store.Subscription { return c.tried(eventType, 1, delivered) }

// failing stores a subscription with so many Failures, whose deliveries are due later than the rule ends. Nothing else
// may be due.
func (c *check) failing(eventType string, failures int) store.Subscription {
	return c.tried(eventType, failures, func(cl store.Claim) store.Outcome { return failed(cl, c.long) })
}

// tried stores a subscription that wants the type, and finishes so many attempts of it with events of another type.
func (c *check) tried(eventType string, n int, finish func(store.Claim) store.Outcome) store.Subscription {
	own := fmt.Sprintf("tried.n%d", c.subs+1)
	sub := c.subscribe(eventType, own)
	c.publishTo(own, n)
	c.each(n, finish)
	return sub
}

// each claims n deliveries and finishes each.
func (c *check) each(n int, finish func(store.Claim) store.Outcome) {
	claims := c.claim(n)
	equal(c, "claims", len(claims), n)
	for _, cl := range claims {
		c.counts(finish(cl))
	}
}

// perType sorts claims by their type, of which there must be so many.
func (c *check) perType(what string, claims []store.Claim, want map[string]int) map[string][]store.Claim {
	got := make(map[string][]store.Claim)
	for _, cl := range claims {
		got[cl.EventType] = append(got[cl.EventType], cl)
	}
	for eventType, n := range want {
		equal(c, what+" of "+eventType, len(got[eventType]), n)
	}
	return got
}

func testClasses(c *check) {
	const each = 9
	c.healthy("healthy.one")
	for range 3 {
		c.failing("failing.one", 1)
	}
	for range 2 {
		c.subscribe("new.one")
	}
	for _, eventType := range []string{"new.one", "failing.one", "healthy.one"} {
		c.publishTo(eventType, each)
	}
	c.perType("claims of 12", c.claim(12), map[string]int{"healthy.one": 4, "new.one": 4, "failing.one": 4})
	var single []store.Claim
	for range 9 {
		single = append(single, c.claimOne())
	}
	c.perType("nine claims of 1", single, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 3})
	rest := map[string]int{"healthy.one": each - 7, "new.one": 2*each - 7, "failing.one": 3*each - 7}
	c.perType("claims of all that is left", c.claim(100), rest)
}

func testClassesFull(c *check) {
	c.healthy("healthy.one")
	c.failing("failing.one", 1)
	c.subscribe("new.one")
	for _, eventType := range []string{"failing.one", "new.one", "healthy.one"} {
		c.publishTo(eventType, 10)
	}
	req := store.ClaimRequest{Max: 8, MaxFailing: 2}
	c.perType("claims of 8", c.claimWith(req).Claims, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 2})
	var single []store.Claim
	req.Max = 1
	for range 6 {
		single = append(single, c.claimWith(req).Claims...)
	}
	c.perType("six claims of 1", single, map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 0})
}

func testNewAtOnce(c *check) {
	c.healthy("healthy.one")
	for range 12 {
		c.failing("failing.one", 1)
	}
	c.publishTo("failing.one", 5)
	req := store.ClaimRequest{Max: 100, MaxUnhealthy: 6, MaxFailing: 4}
	equal(c, "claims of those that fail", len(c.claimWith(req).Claims), 4)
	late := c.subscribe("new.one")
	c.publishTo("new.one", 1)
	req.Max = 1
	equal(c, "claims of a new one beside them", perSubscription(c.claimWith(req).Claims)[late.ID], 1)
	c.publishTo("healthy.one", 5)
	c.subscribe("newer.one")
	c.publishTo("newer.one", 1)
	req.Max = 2
	c.perType("claims of 2", c.claimWith(req).Claims, map[string]int{"healthy.one": 1, "newer.one": 1})
}
