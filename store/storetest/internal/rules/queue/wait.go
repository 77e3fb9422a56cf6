package queue

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func waitRules() []check.Rule {
	return []check.Rule{
		{Name: "none", Test: testWaitNone,
			Sentence: "NextDue is NoneDue if nothing will be due."},
		{Name: "retry", Test: testWaitRetry,
			Sentence: "NextDue is the time until the next delivery is due."},
		{Name: "hold", Test: testWaitHold,
			Sentence: "NextDue is the time until the next hold ends."},
		{Name: "hold-longer", Test: testWaitHoldLonger,
			Sentence: "Due deliveries of a held subscription count in NextDue from the end of " +
				"the hold."},
		{Name: "lease", Test: testWaitLease,
			Sentence: "NextDue is the time until the next lease ends."},
		{Name: "limits", Test: testWaitLimits,
			Sentence: "NextDue does not count what the limits of the request hold back."},
	}
}

// about checks a NextDue: never longer than right, and shorter only by the time that tests take.
func about(c *check.Driver, what string, got, want time.Duration) {
	if got > want || got < want-c.Skew {
		c.Errorf("%s: got %v, want %v or a little less", what, got, want)
	}
}

func testWaitNone(c *check.Driver) {
	check.Equal(c, "NextDue of an empty store", c.NextDue(), store.NoneDue)
	c.Subscribe()
	c.Publish(2)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(check.Dead(c.ClaimOne()))
	check.Equal(c, "NextDue when all is finished", c.NextDue(), store.NoneDue)
}

func testWaitRetry(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	for i, cl := range claims {
		c.Counts(check.Failed(cl, c.Long*time.Duration(3-i)))
	}
	about(c, "NextDue for the first of three retries", c.NextDue(), c.Long)
	c.Unsubscribe(sub.ID, "")
	check.Equal(c, "NextDue once they are canceled", c.NextDue(), store.NoneDue)
}

func testWaitHold(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	c.Counts(check.Held(c.ClaimOne(), 0, c.Long))
	claims := c.ClaimWith(store.ClaimRequest{Max: 10})
	check.Equal(c, "claims", len(claims.Claims), 0)
	about(c, "NextDue for the end of the hold", claims.NextDue, c.Long)
	c.Subscribe("other.type")
	c.PublishTo("other.type", 1)
	c.Counts(check.Held(c.ClaimOne(), c.Long, 2*c.Long))
	about(c, "NextDue for the end of the first of two holds", c.NextDue(), c.Long)
}

// testWaitHoldLonger has something that would be claimable before the hold ends but for the hold.
func testWaitHoldLonger(c *check.Driver) {
	c.Subscribe("one.type")
	c.PublishTo("one.type", 1)
	c.Counts(check.Held(c.ClaimOne(), c.Long/2, c.Long))
	about(c, "NextDue for a hold that ends after the delay of a retry", c.NextDue(), c.Long)
	c.Subscribe("two.type")
	c.PublishTo("two.type", 2)
	claims := c.ClaimWith(store.ClaimRequest{Max: 2, Lease: c.Long / 2}).Claims
	check.Equal(c, "claims", len(claims), 2)
	c.Counts(check.Held(claims[0], 2*c.Long, c.Long))
	about(c, "NextDue for a hold that ends after a lease", c.NextDue(), c.Long)
}

func testWaitLease(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	c.ClaimWith(store.ClaimRequest{Max: 1, Lease: c.Long})
	claims := c.ClaimWith(store.ClaimRequest{Max: 10, Lease: 2 * c.Long})
	check.Equal(c, "claims", len(claims.Claims), 1)
	about(c, "NextDue for the first lease", claims.NextDue, c.Long)
}

func testWaitLimits(c *check.Driver) {
	c.Subscribe()
	c.Publish(5)
	check.Equal(c, "NextDue with a Max of none", c.NextDue(), store.NoneDue)
	first := c.ClaimOne()
	c.Counts(check.Failed(first, 2*c.Long))
	req := store.ClaimRequest{Max: 10, PerSubscription: 1, Lease: c.Long}
	check.Equal(c, "claims", len(c.ClaimWith(req).Claims), 1)
	claims := c.ClaimWith(req)
	check.Equal(c, "claims at the limit", len(claims.Claims), 0)
	about(c, "NextDue at the limit, for the lease", claims.NextDue, c.Long)
}
