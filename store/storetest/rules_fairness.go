package storetest

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
		{name: "classes", test: testClasses,
			rule: "The classes that have something it may take (Healthy, new, with Failures) come in turn, one " +
				"delivery each."},
		{name: "classes-full", test: testClassesFull,
			rule: "A class that the limits let nothing be taken of is passed over."},
		{name: "new", test: testNewAtOnce,
			rule: "However many fail, they delay neither those that work nor those that are new."},
	}
}

// publishTo enqueues events of a type, which a rule has one subscription or a few for, and returns their IDs.
func (c *check) publishTo(eventType string, n int) []string {
	evs := c.messages(n)
	for i := range evs {
		evs[i].Type = eventType
	}
	c.enqueue(evs...)
	return eventIDs(evs)
}

func testFlood(c *check) {
	c.subscribe("flood.it")
	for range 4 {
		c.publishTo("flood.it", 100)
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
