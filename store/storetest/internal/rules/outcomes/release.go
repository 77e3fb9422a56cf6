package outcomes

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func releaseRules() []check.Rule {
	return []check.Rule{
		{Name: "uncounted", Test: testReleaseUncounted,
			Sentence: "Release gives claims back unattempted: nothing is counted or recorded."},
		{Name: "order", Test: testReleaseOrder,
			Sentence: "Released claims are due at once, each at its old position in its " +
				"subscription's order."},
		{Name: "retry", Test: testReleaseRetry,
			Sentence: "A retry that is released is due at once and keeps its numbers."},
		{Name: "token", Test: testReleaseToken,
			Sentence: "Release ignores tokens that are not the present ones."},
		{Name: "void", Test: testReleaseVoid,
			Sentence: "The token of a released claim is void, except for a late success."},
		{Name: "room", Test: testReleaseRoom,
			Sentence: "A released claim no longer counts against the limits of Claim."},
	}
}

func testReleaseUncounted(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	first := c.ClaimOne()
	c.Release(first)
	d := c.State(first.Lease, store.Pending)
	check.Equal(c, "Attempts", d.Attempts, 0)
	check.Equal(c, "attempts", len(c.Attempts(first.Lease)), 0)
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	second := c.ClaimOne()
	check.Equal(c, "Attempt", second.Attempt, 1)
	check.Equal(c, "Retry", second.Retry, 0)
	if second.Token == first.Token {
		c.Errorf("token of the next claim: got the released one, %d", second.Token)
	}
}

func testReleaseOrder(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(6)
	claims := c.Claim(4)
	c.Release(claims[2], claims[0], claims[3])
	c.SameIDs("claims", check.Claimed(c.Claim(10)),
		[]string{ids[0], ids[2], ids[3], ids[4], ids[5]})
}

func testReleaseRetry(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.Release(c.ClaimOne())
	cl := c.ClaimOne()
	check.Equal(c, "Attempt", cl.Attempt, 2)
	check.Equal(c, "Retry", cl.Retry, 1)
}

func testReleaseToken(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	stale, present := twice(c)
	c.Release(stale)
	check.Equal(c, "claims while the present lease runs", len(c.Claim(10)), 0)
	c.Counts(check.Failed(present, c.Long))
	c.Release(present)
	check.Equal(c, "claims while it waits for a retry", len(c.Claim(10)), 0)
	unknown := present
	unknown.EventID = "nobody-knows-it"
	c.Release(unknown)
}

func testReleaseVoid(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	released := c.ClaimOne()
	c.Release(released)
	c.Ignored(check.Failed(released, c.Long))
	c.Ignored(check.Dead(released))
	present := c.ClaimOne()
	c.Ignored(check.Failed(released, c.Long))
	c.State(present.Lease, store.Pending)
	c.Counts(check.Delivered(released))
	c.State(present.Lease, store.Delivered)
}

func testReleaseRoom(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	for range 3 {
		claims := c.ClaimWith(req).Claims
		check.Equal(c, "claims", len(claims), 2)
		c.Release(claims...)
	}
}

func readyRules() []check.Rule {
	return []check.Rule{
		{Name: "one-slot", Test: testReadyOneSlot,
			Sentence: "Ready returns a channel with one slot, the same at each call."},
		{Name: "enqueue", Sentence: "Ready gets a value after Enqueue.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				check.Signals(c, "Enqueue", func() { c.Publish(1) })
			}},
		{Name: "release", Sentence: "Ready gets a value after Release.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				c.Publish(1)
				cl := c.ClaimOne()
				check.Signals(c, "Release", func() { c.Release(cl) })
			}},
		{Name: "requeue", Sentence: "Ready gets a value after Requeue.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				c.Publish(1)
				c.Counts(check.Dead(c.ClaimOne()))
				check.Signals(c, "Requeue", func() { c.Requeue(store.DeliveryQuery{}) })
			}},
		{Name: "hold-lifted", Sentence: "Ready gets a value after an update that lifts a hold.",
			Test: func(c *check.Driver) {
				sub := c.Subscribe()
				c.Publish(1)
				c.Counts(check.Held(c.ClaimOne(), 0, c.Long))
				check.Signals(c, "UpdateSubscription", func() {
					c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
				})
			}},
		{Name: "probe-now", Sentence: "Ready gets a value after a ProbeNow that ends a hold.",
			Test: func(c *check.Driver) {
				sub := c.Subscribe()
				check.Hold(c, 2, c.Long)
				check.Signals(c, "ProbeNow",
					func() { c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), sub.ID)) })
			}},
		{Name: "finish", Test: testReadyFinish,
			Sentence: "Ready gets a value once Finish makes room in a limit of Claim that was " +
				"reached."},
		{Name: "close", Test: testReadyClose,
			Sentence: "Ready gets a value after Close."},
		{Name: "never-closed", Test: testReadyNeverClosed,
			Sentence: "The channel of Ready is never closed."},
	}
}

func testReadyOneSlot(c *check.Driver) {
	c.Subscribe()
	ready := c.Store.Ready()
	check.Equal(c, "slots", cap(ready), 1)
	for range 3 {
		c.Publish(1)
	}
	check.Equal(c, "the same channel", c.Store.Ready() == ready, true)
}

func testReadyFinish(c *check.Driver) {
	check.Failing(c, "message.created", 1)
	c.Publish(20)
	for _, finish := range []func(store.Claim) store.Outcome{
		check.Dead,
		func(cl store.Claim) store.Outcome { return check.Failed(cl, c.Long) },
		func(cl store.Claim) store.Outcome { return check.Canceled(cl, "filtered") },
		check.Delivered,
	} {
		for _, req := range []store.ClaimRequest{{PerSubscription: 1}, {MaxUnhealthy: 1},
			{MaxFailing: 1}, {BreakerThreshold: 1}} {
			req.Max = 1
			claims := c.ClaimWith(req).Claims
			if len(claims) != 1 {
				c.Fatalf("claims: got %d, want 1", len(claims))
			}
			check.Equal(c, "claims at the limit", len(c.ClaimWith(req).Claims), 0)
			check.Signals(c, "Finish", func() { c.Counts(finish(claims[0])) })
			if claims[0].Health.Healthy != c.Health(claims[0].SubscriptionID).Healthy {
				break // it is not failing any more
			}
		}
	}
}

func testReadyClose(c *check.Driver) {
	ready := c.Store.Ready()
	select {
	case <-ready: // of what went before
	default:
	}
	if !check.CloseStore(c.Store) {
		return
	}
	timer := time.NewTimer(c.Skew)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
		c.Errorf("after Close: got nothing from Ready within %v", c.Skew)
	}
}

func testReadyNeverClosed(c *check.Driver) {
	ready := c.Store.Ready()
	if !c.Close() {
		return
	}
	select {
	case _, open := <-ready:
		check.Equal(c, "the channel is open after Close", open, true)
	default:
	}
}
