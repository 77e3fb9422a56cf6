package queue

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// unblockRules say that what waits behind a key is claimable once all before it have ended, however
// they did. Each ends with a drain: everything pending arrives, in the order of its key.
func unblockRules() []check.Rule {
	return []check.Rule{
		{Name: "both-end-in-one-finish", Test: testUnblockBothEnd,
			Sentence: "When an earlier delivery of a key was requeued while a later one was " +
				"leased, and both end in one Finish, the next of the key can be claimed."},
		{Name: "one-of-two-retried", Test: testUnblockOneRetried,
			Sentence: "When two deliveries of a key are in one Finish and one of them is " +
				"retried, it is the next of the key, and the others follow it."},
		{Name: "many-in-one-finish", Test: testUnblockManyInOneFinish,
			Sentence: "When several outcomes of a key are in one Finish, the next that is " +
				"pending can be claimed."},
		{Name: "late-and-present", Test: testUnblockLateAndPresent,
			Sentence: "When a late success and a present outcome of a key are in one Finish, " +
				"the next of the key can be claimed."},
		{Name: "retried-behind", Test: testUnblockRetriedBehind,
			Sentence: "When a delivery that waits behind another of its key is retried in the " +
				"Finish that ends that other, it is attempted again, with its attempt recorded."},
		{Name: "replayed-under-way", Test: testUnblockReplayed,
			Sentence: "When the whole history is requeued while later deliveries of its keys " +
				"are leased, everything is delivered."},
	}
}

// drain delivers until nothing can be claimed, and returns the IDs in that order.
func drain(c *check.Driver) []string {
	var ids []string
	for {
		claims := c.Claim(100)
		if len(claims) == 0 {
			return ids
		}
		for _, cl := range claims {
			c.Counts(check.Delivered(cl))
			ids = append(ids, cl.EventID)
		}
	}
}

// drained checks that a drain gives these events, in this order, and leaves nothing pending.
func drained(c *check.Driver, what string, want ...string) {
	c.SameIDs(what, drain(c), want)
	check.Equal(c, "pending after "+what, c.Stats("").Pending, 0)
	check.Equal(c, "in flight after "+what, c.Stats("").InFlight, 0)
}

// overtaken makes a key of n deliveries whose first two are leased: the first was requeued
// while the second was leased.
func overtaken(c *check.Driver, n int) (ids []string, first, second store.Claim) {
	c.Subscribe()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "k"
	}
	ids = c.Keyed(keys...)
	c.Counts(check.Dead(c.Next("the first", ids[0])))
	second = c.Next("the second", ids[1])
	check.Equal(c, "requeued while the second is leased",
		c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first = c.Next("the requeued one", ids[0])
	return ids, first, second
}

// allCount records outcomes in one Finish and checks that all count.
func allCount(c *check.Driver, outcomes ...store.Outcome) {
	for i, r := range c.Finish(outcomes...) {
		if r.Ignored {
			c.Errorf("Finish: outcome %d (%s) was ignored, want it to count", i+1,
				outcomes[i].State)
		}
	}
}

func testUnblockBothEnd(c *check.Driver) {
	ids, first, second := overtaken(c, 4)
	allCount(c, check.Delivered(second), check.Delivered(first))
	drained(c, "what waited behind both", ids[2:]...)
}

func testUnblockOneRetried(c *check.Driver) {
	ids, first, second := overtaken(c, 4)
	allCount(c, check.Dead(first), check.Failed(second, 0))
	drained(c, "what waited behind the retry", ids[1:]...)
}

// testUnblockManyInOneFinish has three of a key leased at once: each earlier one is requeued while
// the later ones are leased.
func testUnblockManyInOneFinish(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k", "k", "k")
	c.Counts(check.Dead(c.Next("the first", ids[0])))
	c.Counts(check.Dead(c.Next("the second", ids[1])))
	third := c.Next("the third", ids[2])
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{EventID: ids[1]}), 1)
	second := c.Next("the second, requeued", ids[1])
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first := c.Next("the first, requeued", ids[0])
	allCount(c, check.Delivered(second), check.Dead(third), check.Delivered(first))
	drained(c, "what waited behind three", ids[3:]...)
}

func testUnblockLateAndPresent(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k")
	late := c.ClaimWith(store.ClaimRequest{Max: 10, Lease: c.Short}).Claims
	c.Pass(c.Short)
	present := c.Next("once the lease has run out", ids[0])
	c.Counts(check.Dead(present))
	second := c.Next("the second", ids[1])
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.Next("the first again", ids[0])
	allCount(c, check.Delivered(late[0]), check.Delivered(second))
	drained(c, "what waited", ids[2])
}

// testUnblockRetriedBehind lets the lease of the second run out, so that it waits behind the first
// while its token is still the present one.
func testUnblockRetriedBehind(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k")
	c.Counts(check.Dead(c.Next("the first", ids[0])))
	second := c.ClaimWith(store.ClaimRequest{Max: 10, Lease: c.Short}).Claims[0]
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.Pass(c.Short)
	first := c.Next("the requeued one, and not the second behind it", ids[0])
	allCount(c, check.Delivered(first), check.Failed(second, 0))
	again := c.Next("the second", ids[1])
	check.Equal(c, "Attempt of the second", again.Attempt, 2)
	check.Equal(c, "Retry of the second", again.Retry, 1)
	c.Counts(check.Delivered(again))
	drained(c, "the third", ids[2])
}

func testUnblockReplayed(c *check.Driver) {
	c.Subscribe()
	var evs []events.Event
	for i := range 12 {
		ev := c.Event("message.created")
		ev.Key = []string{"k", "other", "third"}[i%3]
		evs = append(evs, ev)
	}
	c.Enqueue(evs...)
	var under []store.Claim
	for range 4 {
		claims := c.Claim(100)
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = check.Delivered(cl)
		}
		allCount(c, outcomes...)
		under = append(under, c.Claim(2)...)
		c.Requeue(store.DeliveryQuery{Limit: 3})
	}
	outcomes := make([]store.Outcome, len(under))
	for i, cl := range under {
		outcomes[i] = check.Delivered(cl)
	}
	c.Finish(outcomes...)
	drain(c)
	check.Equal(c, "pending at the end", c.Stats("").Pending, 0)
}
