package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func releaseRules() []rule {
	return []rule{
		{name: "uncounted", test: testReleaseUncounted,
			rule: "Release gives claims back unattempted: nothing is counted or recorded."},
		{name: "order", test: testReleaseOrder,
			rule: "Released claims are due at once, each where it was in its subscription's order."},
		{name: "retry", test: testReleaseRetry,
			rule: "A retry that is released is due at once and keeps its numbers."},
		{name: "token", test: testReleaseToken,
			rule: "Release ignores tokens that are not the present ones."},
		{name: "void", test: testReleaseVoid,
			rule: "The token of a released claim is worth nothing any more, except to say that the delivery " +
				"succeeded."},
		{name: "room", test: testReleaseRoom,
			rule: "What is released no longer counts against the limits of Claim."},
	}
}

func testReleaseUncounted(c *check) {
	sub := c.subscribe()
	c.publish(1)
	first := c.claimOne()
	c.release(first)
	d := c.state(first.Lease, store.Pending)
	equal(c, "Attempts", d.Attempts, 0)
	equal(c, "attempts", len(c.attempts(first.Lease)), 0)
	equal(c, "health", c.health(sub.ID), store.Health{})
	equal(c, "InFlight", c.stats("").InFlight, 0)
	second := c.claimOne()
	equal(c, "Attempt", second.Attempt, 1)
	equal(c, "Retry", second.Retry, 0)
	if second.Token == first.Token {
		c.errorf("token of the next claim: got the released one, %d", second.Token)
	}
}

func testReleaseOrder(c *check) {
	c.subscribe()
	ids := c.publish(6)
	claims := c.claim(4)
	c.release(claims[2], claims[0], claims[3])
	c.sameIDs("claims", claimed(c.claim(10)), []string{ids[0], ids[2], ids[3], ids[4], ids[5]})
}

func testReleaseRetry(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(failed(c.claimOne(), 0))
	c.release(c.claimOne())
	cl := c.claimOne()
	equal(c, "Attempt", cl.Attempt, 2)
	equal(c, "Retry", cl.Retry, 1)
}

func testReleaseToken(c *check) {
	c.subscribe()
	c.publish(1)
	stale, present := c.twice()
	c.release(stale)
	equal(c, "claims while the present lease runs", len(c.claim(10)), 0)
	c.counts(failed(present, c.long))
	c.release(present)
	equal(c, "claims while it waits for a retry", len(c.claim(10)), 0)
	unknown := present
	unknown.EventID = "nobody-knows-it"
	c.release(unknown)
}

func testReleaseVoid(c *check) {
	c.subscribe()
	c.publish(1)
	released := c.claimOne()
	c.release(released)
	c.ignored(failed(released, c.long))
	c.ignored(dead(released))
	present := c.claimOne()
	c.ignored(failed(released, c.long))
	c.state(present.Lease, store.Pending)
	c.counts(delivered(released))
	c.state(present.Lease, store.Delivered)
}

func testReleaseRoom(c *check) {
	c.subscribe()
	c.publish(3)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	for range 3 {
		claims := c.claimWith(req).Claims
		equal(c, "claims", len(claims), 2)
		c.release(claims...)
	}
}

func readyRules() []rule {
	return []rule{
		{name: "one-slot", test: testReadyOneSlot,
			rule: "Ready returns a channel with one slot, the same at each call."},
		{name: "enqueue", rule: "Ready gets a value after Enqueue.",
			test: func(c *check) {
				c.subscribe()
				c.signals("Enqueue", func() { c.publish(1) })
			}},
		{name: "release", rule: "Ready gets a value after Release.",
			test: func(c *check) {
				c.subscribe()
				c.publish(1)
				cl := c.claimOne()
				c.signals("Release", func() { c.release(cl) })
			}},
		{name: "requeue", rule: "Ready gets a value after Requeue.",
			test: func(c *check) {
				c.subscribe()
				c.publish(1)
				c.counts(dead(c.claimOne()))
				c.signals("Requeue", func() { c.requeue(store.DeliveryQuery{}) })
			}},
		{name: "hold-lifted", rule: "Ready gets a value after an update that lifts a hold.",
			test: func(c *check) {
				sub := c.subscribe()
				c.publish(1)
				c.counts(held(c.claimOne(), 0, c.long))
				c.signals("UpdateSubscription", func() {
					c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
				})
			}},
		{name: "probe-now", rule: "Ready gets a value after a ProbeNow that ends a hold.",
			test: func(c *check) {
				sub := c.subscribe()
				c.hold(2, c.long)
				c.signals("ProbeNow", func() { c.must("ProbeNow", c.store.ProbeNow(c.ctx, sub.ID)) })
			}},
		{name: "finish", test: testReadyFinish,
			rule: "Ready gets a value as soon as Finish has made room in the limits of Claim where there was none."},
		{name: "close", test: testReadyClose,
			rule: "Ready gets a value after Close."},
		{name: "never-closed", test: testReadyNeverClosed,
			rule: "The channel of Ready is never closed."},
	}
}

func testReadyOneSlot(c *check) {
	c.subscribe()
	ready := c.store.Ready()
	equal(c, "slots", cap(ready), 1)
	for range 3 {
		c.publish(1)
	}
	equal(c, "the same channel", c.store.Ready() == ready, true)
}

// signals checks that do makes Ready get a value.
func (c *check) signals(what string, do func()) {
	ready := c.store.Ready()
	select {
	case <-ready: // of what went before
	default:
	}
	do()
	timer := time.NewTimer(c.skew)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
		c.errorf("after %s: got nothing from Ready within %v", what, c.skew)
	}
}

func testReadyFinish(c *check) {
	c.failing("message.created", 1)
	c.publish(20)
	for _, finish := range []func(store.Claim) store.Outcome{
		dead,
		func(cl store.Claim) store.Outcome { return failed(cl, c.long) },
		func(cl store.Claim) store.Outcome { return canceled(cl, "filtered") },
		delivered,
	} {
		for _, req := range []store.ClaimRequest{{PerSubscription: 1}, {MaxUnhealthy: 1}, {MaxFailing: 1}, {BreakerThreshold: 1}} {
			req.Max = 1
			claims := c.claimWith(req).Claims
			if len(claims) != 1 {
				c.fatalf("claims: got %d, want 1", len(claims))
			}
			equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
			c.signals("Finish", func() { c.counts(finish(claims[0])) })
			if claims[0].Health.Healthy != c.health(claims[0].SubscriptionID).Healthy {
				break // it is not failing any more
			}
		}
	}
}

func testReadyClose(c *check) {
	ready := c.store.Ready()
	select {
	case <-ready: // of what went before
	default:
	}
	if !closeStore(c.store) {
		return
	}
	timer := time.NewTimer(c.skew)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
		c.errorf("after Close: got nothing from Ready within %v", c.skew)
	}
}

func testReadyNeverClosed(c *check) {
	ready := c.store.Ready()
	if !c.close() {
		return
	}
	select {
	case _, open := <-ready:
		equal(c, "the channel is open after Close", open, true)
	default:
	}
}
