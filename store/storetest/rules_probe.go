package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func probeRules() []rule {
	return []rule{
		{name: "newest", test: testProbeNewest,
			rule: "A probe takes the newest delivery that was not tried yet."},
		{name: "newest-restart", test: testProbeNewestRestart, restart: true,
			rule: "A probe takes the newest delivery that was not tried yet, also of what only the file has."},
		{name: "fewest", test: testProbeFewest,
			rule: "When all were tried, a probe takes the one with the fewest attempts, whenever it is due."},
		{name: "asked", test: testProbeAsked,
			rule: "What was asked for by Requeue is the next probe."},
		{name: "keys", test: testProbeKeys,
			rule: "A probe takes nothing that an earlier delivery of its key holds back."},
		{name: "one", test: testProbeOne,
			rule: "While the breaker is open there is one claim at a time, and it says that it is a probe."},
		{name: "retry", test: testProbeRetry,
			rule: "An attempt with KeepRetry is recorded and does not count in Claim.Retry."},
		{name: "closed", test: testProbeClosed,
			rule: "When the breaker closes, all that it held back is due, in the order of attempts and events."},
		{name: "closed-restart", test: testProbeClosedRestart, restart: true,
			rule: "What an open breaker holds back is due when it closes, also after a restart."},
	}
}

// broken returns a subscription whose breaker is open and that is to be probed at once, and the IDs
// of so many events of it. The first of them was tried, three times.
func (c *check) broken(n int) (sub store.Subscription, ids []string) {
	sub = c.subscribe()
	ids = c.publish(1)
	for range 3 {
		c.counts(c.opens(c.claimOne()))
		c.pass(probeGap)
	}
	return sub, append(ids, c.publish(n-1)...)
}

// probeGap is the time between two probes.
const probeGap = 10 * time.Millisecond

// opens is the outcome of an attempt after which the breaker is open.
func (c *check) opens(cl store.Claim) store.Outcome {
	o := failed(cl, c.long)
	o.Probe = store.ProbePolicy{Threshold: 1, First: probeGap, Max: probeGap}
	o.KeepRetry = cl.Probe
	return o
}

// probe claims a probe, and checks which delivery it takes.
func (c *check) probe(want string) store.Claim {
	claims := c.claimWith(store.ClaimRequest{Max: 10, BreakerThreshold: 3}).Claims
	c.sameIDs("a probe", claimed(claims), []string{want})
	if len(claims) != 1 {
		c.fatalf("claims of a probe: got %d, want 1", len(claims))
	}
	equal(c, "Claim.Probe", claims[0].Probe, true)
	return claims[0]
}

// probed lets a probe fail.
func (c *check) probed(cl store.Claim) {
	c.counts(c.opens(cl))
	c.pass(probeGap)
}

func testProbeNewest(c *check) {
	_, ids := c.broken(4)
	for _, want := range []string{ids[3], ids[2], ids[1]} {
		c.probed(c.probe(want))
	}
	newer := c.publish(2)
	c.probed(c.probe(newer[1]))
	c.probed(c.probe(newer[0]))
}

// testProbeNewestRestart has more than a store may keep in memory of one subscription.
func testProbeNewestRestart(c *check) {
	const n = 400
	_, ids := c.broken(n)
	for i := range 6 {
		if i%2 == 0 {
			c.reopen()
		}
		c.probed(c.probe(ids[n-1-i]))
	}
}

func testProbeFewest(c *check) {
	_, ids := c.broken(3)
	for _, i := range []int{2, 1, 1, 2, 1, 2, 0, 1} {
		c.probed(c.probe(ids[i]))
	}
}

func testProbeAsked(c *check) {
	sub, ids := c.broken(5)
	for _, i := range []int{2, 0, 3} { // one that was not tried, one that was, and another
		equal(c, "requeued", c.requeue(store.DeliveryQuery{
			SubscriptionID: sub.ID, EventID: ids[i], States: []store.State{store.Pending},
		}), 1)
		c.probed(c.probe(ids[i]))
	}
	c.probed(c.probe(ids[4]))
	c.counts(dead(c.probe(ids[1])))
	c.pass(probeGap)
	c.requeue(store.DeliveryQuery{SubscriptionID: sub.ID, EventID: ids[1]})
	c.publish(1)
	c.probed(c.probe(ids[1]))
}

func testProbeKeys(c *check) {
	_, _ = c.broken(1)
	evs := c.messages(4)
	evs[1].Key, evs[3].Key = "k", "k"
	c.enqueue(evs...)
	ids := eventIDs(evs)
	for _, want := range []string{ids[2], ids[1]} {
		c.probed(c.probe(want))
	}
	c.counts(dead(c.requeued(ids[1])))
	c.pass(probeGap)
	c.probed(c.probe(ids[3]))
}

// requeued asks for a delivery and returns the probe of it.
func (c *check) requeued(id string) store.Claim {
	c.requeue(store.DeliveryQuery{EventID: id, States: []store.State{store.Pending}})
	return c.probe(id)
}

func testProbeOne(c *check) {
	_, ids := c.broken(4)
	req := store.ClaimRequest{Max: 10, BreakerThreshold: 3}
	cl := c.probe(ids[3])
	equal(c, "claims beside a probe", len(c.claimWith(req).Claims), 0)
	c.release(cl)
	cl = c.probe(ids[3])
	c.counts(delivered(cl))
	claims := c.claimWith(req).Claims
	equal(c, "claims after a probe that succeeds", len(claims), 3)
	for _, cl := range claims {
		equal(c, "Claim.Probe once the breaker is closed", cl.Probe, false)
	}
}

func testProbeRetry(c *check) {
	_, ids := c.broken(1)
	for i := range 3 {
		cl := c.probe(ids[0])
		equal(c, "Attempt of a probe", cl.Attempt, 4+i)
		equal(c, "Retry of a probe", cl.Retry, 3)
		c.probed(cl)
	}
}

func testProbeClosed(c *check) {
	sub, ids := c.broken(6)
	c.probed(c.probe(ids[5]))
	c.probed(c.probe(ids[4]))
	c.counts(delivered(c.probe(ids[3])))
	for _, d := range c.deliveries(store.DeliveryQuery{SubscriptionID: sub.ID, States: []store.State{store.Pending}}) {
		if d.DueAt.After(time.Now().Add(c.skew)) {
			c.errorf("DueAt of %s: got %v, want it due", d.EventID, d.DueAt)
		}
	}
	got := claimed(c.claim(10))
	c.sameIDs("claims once the breaker is closed", only(got, ids[1], ids[2]), []string{ids[1], ids[2]})
	c.sameIDs("claims of what was tried", only(got, ids[0], ids[4], ids[5]), []string{ids[4], ids[5], ids[0]})
}

func testProbeClosedRestart(c *check) {
	_, ids := c.broken(2)
	c.probed(c.probe(ids[1]))
	c.reopen()
	c.counts(delivered(c.probe(ids[1])))
	c.reopen()
	c.sameIDs("claims once the breaker is closed", claimed(c.claim(10)), ids[:1])
}

// only returns those of some IDs that are wanted.
func only(ids []string, wanted ...string) (some []string) {
	for _, id := range ids {
		for _, w := range wanted {
			if id == w {
				some = append(some, id)
			}
		}
	}
	return some
}
