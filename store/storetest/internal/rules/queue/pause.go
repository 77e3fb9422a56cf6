package queue

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func pauseRules() []check.Rule {
	return []check.Rule{
		{Name: "claims", Test: testPause,
			Sentence: "Nothing is claimed of a subscription that is paused, first attempt or " +
				"retry; others go on."},
		{Name: "ends", Test: testPauseEnds,
			Sentence: "A pause ends after its time."},
		{Name: "wait", Test: testPauseWait,
			Sentence: "NextDue includes deliveries that a pause holds back."},
		{Name: "replaced", Test: testPauseReplaced,
			Sentence: "A pause replaces an earlier one, longer or shorter."},
		{Name: "ended", Test: testPauseEnded,
			Sentence: "A pause of zero ends a pause, and the same Claim takes what that held " +
				"back."},
		{Name: "before", Test: testPauseBefore,
			Sentence: "The pauses of a request apply before it leases anything."},
		{Name: "several", Test: testPauseSeveral,
			Sentence: "A Claim takes several pauses; of two of one subscription the last counts."},
		{Name: "hold", Test: testPauseHold,
			Sentence: "A pause and a hold are independent: nothing is claimed until both are " +
				"over."},
		{Name: "leases", Test: testPauseLeases,
			Sentence: "A pause leaves leases, outcomes and health as they are."},
		{Name: "unknown", Test: testPauseUnknown,
			Sentence: "A pause of an unknown subscription is no error; the Claim goes on."},
		{Name: "not-kept", Test: testPauseNotKept, Restarts: true,
			Sentence: "A pause is not kept on disk."},
	}
}

func testPause(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(1)
	c.Each(2, func(cl store.Claim) store.Outcome { return check.Failed(cl, 0) })
	c.Publish(2)
	c.Pause(sub.ID, c.Long)
	c.Publish(1)
	got := check.PerSubscription(c.Claim(100))
	check.Equal(c, "claims of the paused one", got[sub.ID], 0)
	check.Equal(c, "claims of the other", got[other.ID], 4)
	check.Equal(c, "Pending of the paused one", c.Stats(sub.ID).Pending, 4)
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	check.Equal(c, "claims of the paused one, with another URL", len(c.Claim(100)), 0)
}

func testPauseEnds(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	c.Pause(sub.ID, c.Short)
	c.Pass(c.Short)
	c.SameIDs("claims once the pause is over", check.Claimed(c.Claim(100)), ids)
}

func testPauseWait(c *check.Driver) {
	sub := c.Subscribe("one.type")
	c.Pause(sub.ID, c.Long)
	check.Equal(c, "NextDue with nothing pending", c.NextDue(), store.NoneDue)
	c.PublishTo("one.type", 3)
	about(c, "NextDue for the end of the pause", c.NextDue(), c.Long)
	c.Pause(sub.ID, 0)
	c.Counts(check.Failed(c.ClaimOne(), 3*c.Long))
	c.ClaimWith(store.ClaimRequest{Max: 10, Lease: 2 * c.Long})
	c.Pause(sub.ID, c.Long)
	about(c, "NextDue for a lease that ends after the pause", c.NextDue(), 2*c.Long)
	c.Pause(sub.ID, 5*c.Long/2)
	about(c, "NextDue for a pause that ends after a lease", c.NextDue(), 5*c.Long/2)
	c.Pause(sub.ID, 0)
	about(c, "NextDue without the pause", c.NextDue(), 2*c.Long)
}

func testPauseReplaced(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Pause(sub.ID, c.Short)
	c.Pause(sub.ID, c.Long)
	about(c, "NextDue for the longer one", c.NextDue(), c.Long)
	check.Equal(c, "claims", len(c.Claim(100)), 0)
	c.Pause(sub.ID, c.Short)
	c.Pass(c.Short)
	check.Equal(c, "claims once the shorter one is over", len(c.Claim(100)), 2)
}

func testPauseEnded(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Pause(sub.ID, c.Long)
	check.Equal(c, "claims while it is paused", len(c.Claim(100)), 0)
	claims := c.ClaimWith(store.ClaimRequest{Max: 100,
		Pauses: []store.Pause{{SubscriptionID: sub.ID}}}).Claims
	check.Equal(c, "claims of the Claim that ends the pause", len(claims), 2)
	c.Release(claims...)
	c.Pause(sub.ID, 0)
	check.Equal(c, "claims once there is nothing to end", len(c.Claim(100)), 2)
}

func testPauseBefore(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(3)
	req := store.ClaimRequest{Max: 100,
		Pauses: []store.Pause{{SubscriptionID: sub.ID, For: c.Long}}}
	result := c.ClaimWith(req)
	got := check.PerSubscription(result.Claims)
	check.Equal(c, "claims of the one that the Claim pauses", got[sub.ID], 0)
	check.Equal(c, "claims of the other", got[other.ID], 3)
	about(c, "NextDue of the Claim that pauses", result.NextDue, c.Long)
	c.Publish(1)
	got = check.PerSubscription(c.Claim(100))
	check.Equal(c, "claims of the paused one afterwards", got[sub.ID], 0)
	check.Equal(c, "claims of the other afterwards", got[other.ID], 1)
}

func testPauseSeveral(c *check.Driver) {
	a, b, other := c.Subscribe(), c.Subscribe(), c.Subscribe()
	c.Publish(2)
	got := check.PerSubscription(c.ClaimWith(store.ClaimRequest{Max: 100, Pauses: []store.Pause{
		{SubscriptionID: a.ID, For: c.Long}, {SubscriptionID: b.ID, For: c.Short},
		{SubscriptionID: a.ID, For: 0},
		{SubscriptionID: b.ID, For: c.Long},
	}}).Claims)
	check.Equal(c, "claims of the one whose last pause is none", got[a.ID], 2)
	check.Equal(c, "claims of the paused one", got[b.ID], 0)
	check.Equal(c, "claims of the other", got[other.ID], 2)
	c.Pass(c.Short)
	check.Equal(c, "claims after the pause that was replaced", len(c.Claim(100)), 0)
}

func testPauseUnknown(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	for _, d := range []time.Duration{c.Long, 0} {
		claims := c.ClaimWith(store.ClaimRequest{Max: 10, Pauses: []store.Pause{
			{SubscriptionID: c.NewSub().ID, For: d}, {For: d}, {SubscriptionID: sub.ID},
		}}).Claims
		check.Equal(c, "claims of others", len(claims), 1)
		c.Release(claims...)
	}
}

func testPauseHold(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(2)
	c.Pause(sub.ID, c.Long)
	h := c.Counts(check.Held(claims[0], 0, c.Short)).After
	check.Equal(c, "Holds of one that is paused but was not held", h.Probes, 1)
	c.Near("NextProbeAt", h.NextProbeAt, time.Now().Add(c.Short))
	c.Pass(c.Short)
	check.Equal(c, "claims once only the hold is over", len(c.Claim(100)), 0)
	c.Counts(check.Held(claims[1], 0, c.Long))
	c.Pause(sub.ID, 0)
	check.Equal(c, "claims once only the pause is over", len(c.Claim(100)), 0)
	about(c, "NextDue for the hold", c.NextDue(), c.Long)
}

func testPauseLeases(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(4)
	claims := c.Claim(3)
	before := c.Health(sub.ID)
	c.Pause(sub.ID, c.Long)
	check.Equal(c, "InFlight", c.Stats(sub.ID).InFlight, 3)
	check.Equal(c, "health", c.Health(sub.ID), before)
	c.Counts(check.Delivered(claims[0]))
	c.Counts(check.Failed(claims[1], c.Long))
	c.Release(claims[2])
	check.Equal(c, "claims", len(c.Claim(100)), 0)
	c.Pause(sub.ID, 0)
	c.SameIDs("claims without the pause", check.Claimed(c.Claim(100)), ids[2:])
}

func testPauseNotKept(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Pause(sub.ID, c.Long)
	c.Reopen()
	check.Equal(c, "claims after the restart", len(c.Claim(100)), 2)
}
