package history

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func probeNowRules() []check.Rule {
	return []check.Rule{
		{Name: "ends", Test: testProbeNow,
			Sentence: "ProbeNow ends the holds of the subscriptions it names and changes " +
				"nothing else in their health."},
		{Name: "recovered", Test: testRecovered,
			Sentence: "Recovered makes the health what a success makes it, ends holds, and " +
				"touches no other subscription."},
		{Name: "recovered-restart", Test: testRecoveredRestart, Restarts: true,
			Sentence: "What Recovered has changed stays so after a restart."},
		{Name: "others", Test: testProbeNowOthers,
			Sentence: "ProbeNow leaves others held, and ignores IDs that are unknown and " +
				"subscriptions that are not held."},
	}
}

func testProbeNow(c *check.Driver) {
	a, b := c.Subscribe(), c.Subscribe()
	health := check.Hold(c, 2, c.Long)
	check.Equal(c, "claims while they are held", len(c.Claim(100)), 0)
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), a.ID, b.ID))
	for id, want := range health {
		want.NextProbeAt = time.Time{}
		check.Equal(c, "health", c.Health(id), want)
	}
	got := check.PerSubscription(c.Claim(100))
	check.Equal(c, "claims of the first", got[a.ID], 1)
	check.Equal(c, "claims of the second", got[b.ID], 1)
}

func testProbeNowOthers(c *check.Driver) {
	a, b := c.Subscribe(), c.Subscribe()
	check.Hold(c, 2, c.Long)
	for range 2 {
		c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), a.ID, c.NewSub().ID, ""))
	}
	c.Must("ProbeNow of nothing", c.Store.ProbeNow(c.Ctx()))
	claims := c.Claim(100)
	check.Equal(c, "claims of the one that is probed", check.PerSubscription(claims)[a.ID], 1)
	check.Equal(c, "claims of the one that is held", check.PerSubscription(claims)[b.ID], 0)
	healthy := c.Counts(check.Delivered(claims[0])).After
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), a.ID))
	check.Equal(c, "health of one that is not held", c.Health(a.ID), *healthy)
}

func testRecovered(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	c.Publish(12)
	claims := c.Claim(8)
	for _, cl := range claims {
		o := check.Held(cl, 0, c.Long)
		if cl.SubscriptionID == other.ID {
			o.Effect, o.ThrottleFor = store.EffectThrottled, c.Long
		}
		c.Counts(o)
	}
	check.Equal(c, "claims while held", len(c.Claim(100)), 0)
	before := c.Health(other.ID)
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), sub.ID))
	want := store.Health{Healthy: true, SlowStart: 4}
	check.Equal(c, "health", c.Health(sub.ID), want)
	check.Equal(c, "health of the other", c.Health(other.ID), before)
	claims = c.Claim(100)
	check.Equal(c, "claims", check.PerSubscription(claims)[sub.ID], 12)
	check.Equal(c, "claims of the other", check.PerSubscription(claims)[other.ID], 0)
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), other.ID))
	check.Equal(c, "HeldUntil of the other", c.Health(other.ID).HeldUntil, time.Time{})
	check.Equal(c, "claims of the other", check.PerSubscription(c.Claim(100))[other.ID] > 0, true)
	for _, id := range []string{sub.ID, "", c.NewSub().ID} { // nothing to change
		c.Must("Recovered", c.Store.Recovered(c.Ctx(), id))
	}
	check.Equal(c, "health after another", c.Health(sub.ID), want)
}

func testRecoveredRestart(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Counts(check.Held(c.ClaimOne(), 0, c.Long))
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), sub.ID))
	c.Reopen()
	check.Equal(c, "health", c.Health(sub.ID), store.Health{Healthy: true, SlowStart: 1})
	check.Equal(c, "claims", len(c.Claim(100)), 2)
}
