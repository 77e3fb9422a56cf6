package storetest

import (
	"maps"

	"github.com/outhook/outhook/store"
)

func fairnessRules() []rule {
	return []rule{
		{name: "flood", test: testFlood,
			rule: "A subscription's backlog never delays another's."},
		{name: "turns", test: testTurns,
			rule: "Claim takes from the subscriptions that have something due in turn, one each."},
		{name: "turns-across-calls", test: testTurnsAcrossCalls,
			rule: "Turns go on from one Claim to the next."},
		{name: "turns-new", test: testTurnsNew,
			rule: "A subscription with something new waits for no more than one turn of the others."},
		{name: "retries-take-turns", test: testRetriesTakeTurns,
			rule: "Retries that are due take turns with first attempts."},
		{name: "alternation", test: testAlternation,
			rule: "Claim takes from those that are Proven and those that are not alternately, as long as there " +
				"are both."},
		{name: "per-subscription", test: testPerSubscription,
			rule: "PerSubscription is how many deliveries of one subscription may be leased at once, whoever " +
				"leased them."},
		{name: "per-subscription-expiry", test: testPerSubscriptionExpiry,
			rule: "A lease that has run out does not count against the limits."},
		{name: "unproven", test: testUnproven,
			rule: "Unproven is how many deliveries may be leased at once of all subscriptions together that are " +
				"not Proven."},
		{name: "unproven-follows-health", test: testUnprovenFollowsHealth,
			rule: "What is leased counts as unproven by the subscription's present health."},
		{name: "probe-after", test: testProbeAfter,
			rule: "ProbeAfter limits a subscription with so many Failures or more to one lease at a time."},
		{name: "no-limits", test: testNoLimits,
			rule: "Limits that are zero are none."},
		{name: "limits-apart", test: testLimitsApart,
			rule: "A subscription that is at its limit keeps nobody else waiting."},
	}
}

// only makes the store's next events go to the subscription, by its own type.
func (c *check) publishTo(eventType string, n int) []string {
	var ids []string
	for range n {
		ev := c.event(eventType)
		c.enqueue(ev)
		ids = append(ids, ev.ID)
	}
	return ids
}

// prove makes a subscription Proven. Nothing else may be due.
func (c *check) prove(eventType string) {
	c.publishTo(eventType, 1)
	c.counts(delivered(c.claimOne()))
}

func testFlood(c *check) {
	c.subscribe("flood.it")
	for range 4 {
		evs := c.messages(100)
		for i := range evs {
			evs[i].Type = "flood.it"
		}
		c.enqueue(evs...)
	}
	c.claim(10)
	quiet := c.subscribe("quiet.one")
	c.publishTo("quiet.one", 1)
	if got := perSubscription(c.claim(2))[quiet.ID]; got != 1 {
		c.errorf("a claim of 2 beside a backlog of 400: got %d of the other subscription, want 1", got)
	}
}

func testTurns(c *check) {
	const subs = 5
	for range subs {
		c.subscribe()
	}
	c.publish(10)
	for _, each := range []int{1, 2, 3} {
		got := perSubscription(c.claim(subs * each))
		for id, n := range got {
			if n != each {
				c.errorf("a claim of %d from %d subscriptions: got %d of %s, want %d", subs*each, subs, n, id, each)
			}
		}
		equal(c, "subscriptions in the claim", len(got), subs)
	}
}

func testTurnsAcrossCalls(c *check) {
	const subs, rounds = 4, 3
	for range subs {
		c.subscribe()
	}
	c.publish(10)
	total := make(map[string]int)
	for round := range rounds {
		seen := make(map[string]int)
		for range subs {
			id := c.claimOne().SubscriptionID
			seen[id]++
			total[id]++
		}
		if len(seen) != subs {
			c.errorf("round %d of claims of one: got %d subscriptions, want %d", round+1, len(seen), subs)
		}
	}
	for id, n := range total {
		equal(c, "claims of "+id, n, rounds)
	}
}

func testTurnsNew(c *check) {
	const subs = 3
	for range subs {
		c.subscribe("busy.one")
	}
	c.publishTo("busy.one", 20)
	c.claim(2)
	late := c.subscribe("late.one")
	c.publishTo("late.one", 1)
	seen := make(map[string]int)
	for range subs + 1 {
		c.publishTo("busy.one", 1) // must not cost anyone the turn, nor gain it
		seen[c.claimOne().SubscriptionID]++
	}
	equal(c, "claims of the new one within a round", seen[late.ID], 1)
	equal(c, "subscriptions within a round", len(seen), subs+1)
}

func testRetriesTakeTurns(c *check) {
	c.subscribe()
	c.publish(5)
	for _, cl := range c.claim(5) {
		c.counts(failed(cl, 0))
	}
	c.publish(5)
	for n := 2; n <= 10; n += 2 {
		retries := 0
		for range 2 {
			if c.claimOne().Attempt > 1 {
				retries++
			}
		}
		if retries != 1 {
			c.errorf("claims %d and %d: got %d retries, want 1 and a first attempt", n-1, n, retries)
		}
	}
}

func testAlternation(c *check) {
	proven := c.subscribe("proven.one")
	c.prove("proven.one")
	for range 4 {
		c.subscribe("unproven.one")
	}
	c.publishTo("proven.one", 12)
	c.publishTo("unproven.one", 12)
	equal(c, "of the only Proven one in a claim of 10", perSubscription(c.claim(10))[proven.ID], 5)
	n := 0
	for range 10 {
		if c.claimOne().SubscriptionID == proven.ID {
			n++
		}
	}
	equal(c, "of the only Proven one in ten claims of 1", n, 5)
	rest := perSubscription(c.claim(10))
	equal(c, "of the Proven one, whose last they are", rest[proven.ID], 2)
	equal(c, "subscriptions of the rest", len(rest), 5)
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

func testPerSubscriptionExpiry(c *check) {
	c.subscribe()
	c.publish(3)
	req := store.ClaimRequest{Max: 10, PerSubscription: 1, Unproven: 1, Lease: c.short}
	equal(c, "claims", len(c.claimWith(req).Claims), 1)
	c.pass(c.short)
	equal(c, "claims once the lease has run out", len(c.claimWith(req).Claims), 1)
}

func testUnproven(c *check) {
	proven := c.subscribe("proven.one")
	c.prove("proven.one")
	for range 5 {
		c.subscribe("unproven.one")
	}
	c.publishTo("proven.one", 10)
	c.publishTo("unproven.one", 10)
	req := store.ClaimRequest{Max: 100, Unproven: 4}
	first := c.claimWith(req).Claims
	got := perSubscription(first)
	equal(c, "claims of the Proven one", got[proven.ID], 10)
	equal(c, "claims of the others", len(first)-got[proven.ID], 4)
	for id, n := range got {
		if id != proven.ID && n != 1 {
			c.errorf("claims of %s: got %d, want the four to be of four", id, n)
		}
	}
	equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
	for _, cl := range first {
		if cl.SubscriptionID != proven.ID {
			c.release(cl)
			break
		}
	}
	equal(c, "claims once there is room for one", len(c.claimWith(req).Claims), 1)
}

func testUnprovenFollowsHealth(c *check) {
	c.subscribe("one.type")
	c.subscribe("two.type")
	c.publishTo("one.type", 3)
	first := c.claim(3)
	c.publishTo("two.type", 5)
	req := store.ClaimRequest{Max: 100, Unproven: 2}
	equal(c, "claims while three unproven ones are leased", len(c.claimWith(req).Claims), 0)
	c.counts(delivered(first[0]))
	equal(c, "claims once those are of a Proven one", len(c.claimWith(req).Claims), 2)
	c.counts(failed(first[1], c.long))
	req.Unproven = 4
	equal(c, "claims once it is not Proven any more, one more than is leased", len(c.claimWith(req).Claims), 1)
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
	req := store.ClaimRequest{Max: 6, ProbeAfter: 4, PerSubscription: 3}
	claims := c.claimWith(req).Claims
	equal(c, "claims of one with fewer failures", perSubscription(claims)[sub.ID], 3)
	c.release(claims...)
	req.ProbeAfter = 3
	claims = c.claimWith(req).Claims
	equal(c, "claims of one with as many failures", perSubscription(claims)[sub.ID], 1)
	equal(c, "claims of one without", perSubscription(claims)[other.ID], 3)
	equal(c, "claims while one is leased", perSubscription(c.claimWith(req).Claims)[sub.ID], 0)
	for _, cl := range claims {
		if cl.SubscriptionID == sub.ID {
			c.counts(delivered(cl))
		}
	}
	equal(c, "claims after a success", perSubscription(c.claimWith(req).Claims)[sub.ID], 3)
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
