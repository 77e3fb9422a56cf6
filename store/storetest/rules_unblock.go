package storetest

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// unblockRules say that what waits behind a key is claimable once all before it have ended, however
// they did. Each ends with a drain: everything pending arrives, in the order of its key.
func unblockRules() []rule {
	return []rule{
		{name: "both-end-in-one-finish", test: testUnblockBothEnd,
			rule: "When an earlier delivery of a key was requeued while a later one was leased, and both " +
				"end in one Finish, the next of the key can be claimed."},
		{name: "one-of-two-retried", test: testUnblockOneRetried,
			rule: "When two deliveries of a key are in one Finish and one of them is retried, it is the " +
				"next of the key, and the others follow it."},
		{name: "many-in-one-finish", test: testUnblockManyInOneFinish,
			rule: "When several outcomes of a key are in one Finish, the next that is pending can be claimed."},
		{name: "late-and-present", test: testUnblockLateAndPresent,
			rule: "When a late success and a present outcome of a key are in one Finish, the next of the " +
				"key can be claimed."},
		{name: "retried-behind", test: testUnblockRetriedBehind,
			rule: "When a delivery that waits behind another of its key is retried in the Finish that ends " +
				"that other, it is attempted again, with its attempt recorded."},
		{name: "replayed-under-way", test: testUnblockReplayed,
			rule: "When the whole history is requeued while later deliveries of its keys are leased, " +
				"everything is delivered."},
	}
}

// drain delivers whatever can be claimed until nothing can, and returns the IDs in that order.
func (c *check) drain() []string {
	var ids []string
	for {
		claims := c.claim(100)
		if len(claims) == 0 {
			return ids
		}
		for _, cl := range claims {
			c.counts(delivered(cl))
			ids = append(ids, cl.EventID)
		}
	}
}

// drained checks that a drain gives these events, in this order, and leaves nothing pending.
func (c *check) drained(what string, want ...string) {
	c.sameIDs(what, c.drain(), want)
	equal(c, "pending after "+what, c.stats("").Pending, 0)
	equal(c, "in flight after "+what, c.stats("").InFlight, 0)
}

// overtaken makes a key of n deliveries of which the first two are leased: the first was requeued
// while the second was leased.
func (c *check) overtaken(n int) (ids []string, first, second store.Claim) {
	c.subscribe()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "k"
	}
	ids = c.keyed(keys...)
	c.counts(dead(c.next("the first", ids[0])))
	second = c.next("the second", ids[1])
	equal(c, "requeued while the second is leased", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first = c.next("the requeued one", ids[0])
	return ids, first, second
}

// allCount records outcomes in one Finish, all of which must count.
func (c *check) allCount(outcomes ...store.Outcome) {
	for i, r := range c.finish(outcomes...) {
		if r.Ignored {
			c.errorf("Finish: outcome %d (%s) was ignored, want it to count", i+1, outcomes[i].State)
		}
	}
}

func testUnblockBothEnd(c *check) {
	ids, first, second := c.overtaken(4)
	c.allCount(delivered(second), delivered(first))
	c.drained("what waited behind both", ids[2:]...)
}

func testUnblockOneRetried(c *check) {
	ids, first, second := c.overtaken(4)
	c.allCount(dead(first), failed(second, 0))
	c.drained("what waited behind the retry", ids[1:]...)
}

// testUnblockManyInOneFinish has three of a key leased at once: each earlier one is requeued while
// the later ones are leased.
func testUnblockManyInOneFinish(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k", "k", "k")
	c.counts(dead(c.next("the first", ids[0])))
	c.counts(dead(c.next("the second", ids[1])))
	third := c.next("the third", ids[2])
	equal(c, "requeued", c.requeue(store.DeliveryQuery{EventID: ids[1]}), 1)
	second := c.next("the second, requeued", ids[1])
	equal(c, "requeued", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first := c.next("the first, requeued", ids[0])
	c.allCount(delivered(second), dead(third), delivered(first))
	c.drained("what waited behind three", ids[3:]...)
}

func testUnblockLateAndPresent(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k")
	late := c.claimWith(store.ClaimRequest{Max: 10, Lease: c.short}).Claims
	c.pass(c.short)
	present := c.next("once the lease has run out", ids[0])
	c.counts(dead(present))
	second := c.next("the second", ids[1])
	equal(c, "requeued", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.next("the first again", ids[0])
	c.allCount(delivered(late[0]), delivered(second))
	c.drained("what waited", ids[2])
}

// testUnblockRetriedBehind lets the lease of the second run out, so that it waits behind the first
// while its token is still the present one.
func testUnblockRetriedBehind(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k")
	c.counts(dead(c.next("the first", ids[0])))
	second := c.claimWith(store.ClaimRequest{Max: 10, Lease: c.short}).Claims[0]
	equal(c, "requeued", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.pass(c.short)
	first := c.next("the requeued one, and not the second behind it", ids[0])
	c.allCount(delivered(first), failed(second, 0))
	again := c.next("the second", ids[1])
	equal(c, "Attempt of the second", again.Attempt, 2)
	equal(c, "Retry of the second", again.Retry, 1)
	c.counts(delivered(again))
	c.drained("the third", ids[2])
}

func testUnblockReplayed(c *check) {
	c.subscribe()
	var evs []events.Event
	for i := range 12 {
		ev := c.event("message.created")
		ev.Key = []string{"k", "other", "third"}[i%3]
		evs = append(evs, ev)
	}
	c.enqueue(evs...)
	var under []store.Claim
	for range 4 {
		claims := c.claim(100)
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = delivered(cl)
		}
		c.allCount(outcomes...)
		under = append(under, c.claim(2)...)
		c.requeue(store.DeliveryQuery{Limit: 3})
	}
	outcomes := make([]store.Outcome, len(under))
	for i, cl := range under {
		outcomes[i] = delivered(cl)
	}
	c.finish(outcomes...)
	c.drain()
	equal(c, "pending at the end", c.stats("").Pending, 0)
}
