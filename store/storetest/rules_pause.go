package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func pauseRules() []rule {
	return []rule{
		{name: "claims", test: testPause,
			rule: "Nothing is claimed of a subscription that is paused, first attempt or retry; others go on."},
		{name: "ends", test: testPauseEnds,
			rule: "A pause ends after its time."},
		{name: "wait", test: testPauseWait,
			rule: "Wait counts what a pause keeps from being claimed."},
		{name: "replaced", test: testPauseReplaced,
			rule: "A pause is in place of an earlier one, whichever is longer."},
		{name: "ended", test: testPauseEnded,
			rule: "A pause of zero ends one, and the same Claim goes on with what it kept back."},
		{name: "before", test: testPauseBefore,
			rule: "Pauses are in force before the Claim that they come with leases anything."},
		{name: "several", test: testPauseSeveral,
			rule: "A Claim takes several pauses; of two of one subscription the last counts."},
		{name: "hold", test: testPauseHold,
			rule: "A pause and a hold do not touch each other: nothing is claimed until both are over."},
		{name: "leases", test: testPauseLeases,
			rule: "A pause leaves leases, outcomes and health as they are."},
		{name: "unknown", test: testPauseUnknown,
			rule: "A pause of a subscription that does not exist is no error, and the Claim goes on."},
		{name: "not-kept", test: testPauseNotKept, restart: true,
			rule: "A pause is not kept on disk."},
	}
}

// pause pauses a subscription, by a Claim of nothing.
func (c *check) pause(id string, d time.Duration) {
	c.claimWith(store.ClaimRequest{Pauses: []store.Pause{{SubscriptionID: id, For: d}}})
}

func testPause(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(1)
	c.each(2, func(cl store.Claim) store.Outcome { return failed(cl, 0) })
	c.publish(2)
	c.pause(sub.ID, c.long)
	c.publish(1)
	got := perSubscription(c.claim(100))
	equal(c, "claims of the paused one", got[sub.ID], 0)
	equal(c, "claims of the other", got[other.ID], 4)
	equal(c, "Pending of the paused one", c.stats(sub.ID).Pending, 4)
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	equal(c, "claims of the paused one, with another URL", len(c.claim(100)), 0)
}

func testPauseEnds(c *check) {
	sub := c.subscribe()
	ids := c.publish(2)
	c.pause(sub.ID, c.short)
	c.pass(c.short)
	c.sameIDs("claims once the pause is over", claimed(c.claim(100)), ids)
}

func testPauseWait(c *check) {
	sub := c.subscribe("one.type")
	c.pause(sub.ID, c.long)
	equal(c, "Wait with nothing pending", c.wait(), store.NoneDue)
	c.publishTo("one.type", 3)
	c.about("Wait for the end of the pause", c.wait(), c.long)
	c.pause(sub.ID, 0)
	c.counts(failed(c.claimOne(), 3*c.long))
	c.claimWith(store.ClaimRequest{Max: 10, Lease: 2 * c.long})
	c.pause(sub.ID, c.long)
	c.about("Wait for a lease that ends after the pause", c.wait(), 2*c.long)
	c.pause(sub.ID, 5*c.long/2)
	c.about("Wait for a pause that ends after a lease", c.wait(), 5*c.long/2)
	c.pause(sub.ID, 0)
	c.about("Wait without the pause", c.wait(), 2*c.long)
}

func testPauseReplaced(c *check) {
	sub := c.subscribe()
	c.publish(2)
	c.pause(sub.ID, c.short)
	c.pause(sub.ID, c.long)
	c.about("Wait for the longer one", c.wait(), c.long)
	equal(c, "claims", len(c.claim(100)), 0)
	c.pause(sub.ID, c.short)
	c.pass(c.short)
	equal(c, "claims once the shorter one is over", len(c.claim(100)), 2)
}

func testPauseEnded(c *check) {
	sub := c.subscribe()
	c.publish(2)
	c.pause(sub.ID, c.long)
	equal(c, "claims while it is paused", len(c.claim(100)), 0)
	claims := c.claimWith(store.ClaimRequest{Max: 100, Pauses: []store.Pause{{SubscriptionID: sub.ID}}}).Claims
	equal(c, "claims of the Claim that ends the pause", len(claims), 2)
	c.release(claims...)
	c.pause(sub.ID, 0)
	equal(c, "claims once there is nothing to end", len(c.claim(100)), 2)
}

func testPauseBefore(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	c.publish(3)
	req := store.ClaimRequest{Max: 100, Pauses: []store.Pause{{SubscriptionID: sub.ID, For: c.long}}}
	result := c.claimWith(req)
	got := perSubscription(result.Claims)
	equal(c, "claims of the one that the Claim pauses", got[sub.ID], 0)
	equal(c, "claims of the other", got[other.ID], 3)
	c.about("Wait of the Claim that pauses", result.NextDue, c.long)
	c.publish(1)
	got = perSubscription(c.claim(100))
	equal(c, "claims of the paused one afterwards", got[sub.ID], 0)
	equal(c, "claims of the other afterwards", got[other.ID], 1)
}

func testPauseSeveral(c *check) {
	a, b, other := c.subscribe(), c.subscribe(), c.subscribe()
	c.publish(2)
	got := perSubscription(c.claimWith(store.ClaimRequest{Max: 100, Pauses: []store.Pause{
		{SubscriptionID: a.ID, For: c.long}, {SubscriptionID: b.ID, For: c.short}, {SubscriptionID: a.ID, For: 0},
		{SubscriptionID: b.ID, For: c.long},
	}}).Claims)
	equal(c, "claims of the one whose last pause is none", got[a.ID], 2)
	equal(c, "claims of the paused one", got[b.ID], 0)
	equal(c, "claims of the other", got[other.ID], 2)
	c.pass(c.short)
	equal(c, "claims after the pause that was replaced", len(c.claim(100)), 0)
}

func testPauseUnknown(c *check) {
	sub := c.subscribe()
	c.publish(1)
	for _, d := range []time.Duration{c.long, 0} {
		claims := c.claimWith(store.ClaimRequest{Max: 10, Pauses: []store.Pause{
			{SubscriptionID: c.newSub().ID, For: d}, {For: d}, {SubscriptionID: sub.ID},
		}}).Claims
		equal(c, "claims of others", len(claims), 1)
		c.release(claims...)
	}
}

func testPauseHold(c *check) {
	sub := c.subscribe()
	c.publish(3)
	claims := c.claim(2)
	c.pause(sub.ID, c.long)
	h := c.counts(held(claims[0], 0, c.short)).After
	equal(c, "Holds of one that is paused but was not held", h.Probes, 1)
	c.near("NextProbeAt", h.NextProbeAt, time.Now().Add(c.short))
	c.pass(c.short)
	equal(c, "claims once only the hold is over", len(c.claim(100)), 0)
	c.counts(held(claims[1], 0, c.long))
	c.pause(sub.ID, 0)
	equal(c, "claims once only the pause is over", len(c.claim(100)), 0)
	c.about("Wait for the hold", c.wait(), c.long)
}

func testPauseLeases(c *check) {
	sub := c.subscribe()
	ids := c.publish(4)
	claims := c.claim(3)
	before := c.health(sub.ID)
	c.pause(sub.ID, c.long)
	equal(c, "InFlight", c.stats(sub.ID).InFlight, 3)
	equal(c, "health", c.health(sub.ID), before)
	c.counts(delivered(claims[0]))
	c.counts(failed(claims[1], c.long))
	c.release(claims[2])
	equal(c, "claims", len(c.claim(100)), 0)
	c.pause(sub.ID, 0)
	c.sameIDs("claims without the pause", claimed(c.claim(100)), ids[2:])
}

func testPauseNotKept(c *check) {
	sub := c.subscribe()
	c.publish(2)
	c.pause(sub.ID, c.long)
	c.reopen()
	equal(c, "claims after the restart", len(c.claim(100)), 2)
}
