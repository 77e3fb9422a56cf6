package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func waitRules() []rule {
	return []rule{
		{name: "none", test: testWaitNone,
			rule: "Wait is NoneDue when there is nothing to wait for."},
		{name: "retry", test: testWaitRetry,
			rule: "Wait is how long it is until a delivery is due that is not yet."},
		{name: "hold", test: testWaitHold,
			rule: "Wait is how long it is until a subscription is no longer held."},
		{name: "hold-longer", test: testWaitHoldLonger,
			rule: "Nothing of a held subscription is waited for before its hold ends."},
		{name: "lease", test: testWaitLease,
			rule: "Wait is how long it is until another's lease ends."},
		{name: "limits", test: testWaitLimits,
			rule: "What the limits of the request kept back is not counted in Wait."},
	}
}

// wait returns the Wait of a claim of none.
func (c *check) wait() time.Duration { return c.claimWith(store.ClaimRequest{}).NextDue }

// about checks a Wait: never longer than right, and shorter only by the time that tests take.
func (c *check) about(what string, got, want time.Duration) {
	if got > want || got < want-c.skew {
		c.errorf("%s: got %v, want %v or a little less", what, got, want)
	}
}

func testWaitNone(c *check) {
	equal(c, "Wait of an empty store", c.wait(), store.NoneDue)
	c.subscribe()
	c.publish(2)
	c.counts(delivered(c.claimOne()))
	c.counts(dead(c.claimOne()))
	equal(c, "Wait when all is finished", c.wait(), store.NoneDue)
}

func testWaitRetry(c *check) {
	sub := c.subscribe()
	c.publish(3)
	claims := c.claim(3)
	for i, cl := range claims {
		c.counts(failed(cl, c.long*time.Duration(3-i)))
	}
	c.about("Wait for the first of three retries", c.wait(), c.long)
	c.unsubscribe(sub.ID, "")
	equal(c, "Wait once they are canceled", c.wait(), store.NoneDue)
}

func testWaitHold(c *check) {
	c.subscribe()
	c.publish(2)
	c.counts(held(c.claimOne(), 0, c.long))
	claims := c.claimWith(store.ClaimRequest{Max: 10})
	equal(c, "claims", len(claims.Claims), 0)
	c.about("Wait for the end of the hold", claims.NextDue, c.long)
	c.subscribe("other.type")
	c.publishTo("other.type", 1)
	c.counts(held(c.claimOne(), c.long, 2*c.long))
	c.about("Wait for the end of the first of two holds", c.wait(), c.long)
}

// testWaitHoldLonger has something that would be claimable before the hold ends but for the hold.
func testWaitHoldLonger(c *check) {
	c.subscribe("one.type")
	c.publishTo("one.type", 1)
	c.counts(held(c.claimOne(), c.long/2, c.long))
	c.about("Wait for a hold that ends after the delay of a retry", c.wait(), c.long)
	c.subscribe("two.type")
	c.publishTo("two.type", 2)
	claims := c.claimWith(store.ClaimRequest{Max: 2, Lease: c.long / 2}).Claims
	equal(c, "claims", len(claims), 2)
	c.counts(held(claims[0], 2*c.long, c.long))
	c.about("Wait for a hold that ends after a lease", c.wait(), c.long)
}

func testWaitLease(c *check) {
	c.subscribe()
	c.publish(2)
	c.claimWith(store.ClaimRequest{Max: 1, Lease: c.long})
	claims := c.claimWith(store.ClaimRequest{Max: 10, Lease: 2 * c.long})
	equal(c, "claims", len(claims.Claims), 1)
	c.about("Wait for the first lease", claims.NextDue, c.long)
}

func testWaitLimits(c *check) {
	c.subscribe()
	c.publish(5)
	equal(c, "Wait with a Max of none", c.wait(), store.NoneDue)
	first := c.claimOne()
	c.counts(failed(first, 2*c.long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 1, Lease: c.long}
	equal(c, "claims", len(c.claimWith(req).Claims), 1)
	claims := c.claimWith(req)
	equal(c, "claims at the limit", len(claims.Claims), 0)
	c.about("Wait at the limit, for the lease", claims.NextDue, c.long)
}
