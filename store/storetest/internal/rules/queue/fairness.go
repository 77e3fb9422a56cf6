package queue

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func fairnessRules() []check.Rule {
	return []check.Rule{
		{Name: "flood", Test: testFlood,
			Sentence: "A subscription's backlog never delays another's."},
		{Name: "turns", Test: testTurns,
			Sentence: "Claim takes from the subscriptions that have something due in turn, one " +
				"each."},
		{Name: "turns-across-calls", Test: testTurnsAcrossCalls,
			Sentence: "Turns go on from one Claim to the next."},
		{Name: "turns-new", Test: testTurnsNew,
			Sentence: "A subscription with something new waits for no more than one turn of the " +
				"others."},
		{Name: "retries-take-turns", Test: testRetriesTakeTurns,
			Sentence: "Retries that are due take turns with first attempts."},
		{Name: "classes", Test: testClasses,
			Sentence: "The classes that have something it may take (Healthy, new, with " +
				"Failures) come in turn, one delivery each."},
		{Name: "classes-full", Test: testClassesFull,
			Sentence: "A class that has reached its limit is skipped."},
		{Name: "new", Test: testNewAtOnce,
			Sentence: "Failing subscriptions, however many, delay neither healthy nor new ones."},
	}
}

func testFlood(c *check.Driver) {
	c.Subscribe("flood.it")
	for range 4 {
		c.PublishTo("flood.it", 100)
	}
	c.Claim(10)
	quiet := c.Subscribe("quiet.one")
	c.PublishTo("quiet.one", 1)
	if got := check.PerSubscription(c.Claim(2))[quiet.ID]; got != 1 {
		c.Errorf("a claim of 2 beside a backlog of 400: got %d of the other subscription, want 1",
			got)
	}
}

func testTurns(c *check.Driver) {
	const subs = 5
	for range subs {
		c.Subscribe()
	}
	c.Publish(10)
	for _, each := range []int{1, 2, 3} {
		got := check.PerSubscription(c.Claim(subs * each))
		for id, n := range got {
			if n != each {
				c.Errorf("a claim of %d from %d subscriptions: got %d of %s, want %d", subs*each,
					subs, n, id, each)
			}
		}
		check.Equal(c, "subscriptions in the claim", len(got), subs)
	}
}

func testTurnsAcrossCalls(c *check.Driver) {
	const subs, rounds = 4, 3
	for range subs {
		c.Subscribe()
	}
	c.Publish(10)
	total := make(map[string]int)
	for round := range rounds {
		seen := make(map[string]int)
		for range subs {
			id := c.ClaimOne().SubscriptionID
			seen[id]++
			total[id]++
		}
		if len(seen) != subs {
			c.Errorf("round %d of claims of one: got %d subscriptions, want %d", round+1, len(seen),
				subs)
		}
	}
	for id, n := range total {
		check.Equal(c, "claims of "+id, n, rounds)
	}
}

func testTurnsNew(c *check.Driver) {
	const subs = 3
	for range subs {
		c.Subscribe("busy.one")
	}
	c.PublishTo("busy.one", 20)
	c.Claim(2)
	late := c.Subscribe("late.one")
	c.PublishTo("late.one", 1)
	seen := make(map[string]int)
	for range subs + 1 {
		c.PublishTo("busy.one", 1) // must not cost anyone the turn, nor gain it
		seen[c.ClaimOne().SubscriptionID]++
	}
	check.Equal(c, "claims of the new one within a round", seen[late.ID], 1)
	check.Equal(c, "subscriptions within a round", len(seen), subs+1)
}

func testRetriesTakeTurns(c *check.Driver) {
	c.Subscribe()
	c.Publish(5)
	for _, cl := range c.Claim(5) {
		c.Counts(check.Failed(cl, 0))
	}
	c.Publish(5)
	for n := 2; n <= 10; n += 2 {
		retries := 0
		for range 2 {
			if c.ClaimOne().Attempt > 1 {
				retries++
			}
		}
		if retries != 1 {
			c.Errorf("claims %d and %d: got %d retries, want 1 and a first attempt", n-1, n,
				retries)
		}
	}
}

// perType sorts claims by their type, checks how many there are of each.
func perType(c *check.Driver, what string, claims []store.Claim,
	want map[string]int) map[string][]store.Claim {
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
	perType(c, "claims of 12", c.Claim(12),
		map[string]int{"healthy.one": 4, "new.one": 4, "failing.one": 4})
	var single []store.Claim
	for range 9 {
		single = append(single, c.ClaimOne())
	}
	perType(c, "nine claims of 1", single,
		map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 3})
	rest := map[string]int{"healthy.one": each - 7, "new.one": 2*each - 7,
		"failing.one": 3*each - 7}
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
	perType(c, "claims of 8", c.ClaimWith(req).Claims,
		map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 2})
	var single []store.Claim
	req.Max = 1
	for range 6 {
		single = append(single, c.ClaimWith(req).Claims...)
	}
	perType(c, "six claims of 1", single,
		map[string]int{"healthy.one": 3, "new.one": 3, "failing.one": 0})
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
	check.Equal(c, "claims of a new one beside them",
		check.PerSubscription(c.ClaimWith(req).Claims)[late.ID], 1)
	c.PublishTo("healthy.one", 5)
	c.Subscribe("newer.one")
	c.PublishTo("newer.one", 1)
	req.Max = 2
	perType(c, "claims of 2", c.ClaimWith(req).Claims,
		map[string]int{"healthy.one": 1, "newer.one": 1})
}
