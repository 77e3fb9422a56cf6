package queue

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func probeRules() []check.Rule {
	return []check.Rule{
		{Name: "newest", Test: testProbeNewest,
			Sentence: "A probe takes the newest delivery that was not tried yet."},
		{Name: "newest-restart", Test: testProbeNewestRestart, Restarts: true,
			Sentence: "A probe takes the newest delivery that was not tried yet, also of what " +
				"only the file has."},
		{Name: "fewest", Test: testProbeFewest,
			Sentence: "When all were tried, a probe takes the one with the fewest attempts, " +
				"whenever it is due."},
		{Name: "asked", Test: testProbeAsked,
			Sentence: "A requeued delivery is the next probe."},
		{Name: "keys", Test: testProbeKeys,
			Sentence: "A probe takes nothing that an earlier delivery of its key holds back."},
		{Name: "one", Test: testProbeOne,
			Sentence: "While the breaker is open there is one claim at a time, and it says that " +
				"it is a probe."},
		{Name: "schedule", Test: testProbeSchedule,
			Sentence: "Probes have a schedule of their own: the first after First, each next one " +
				"after twice the time up to Max, by the Jitter, whenever retries are due."},
		{Name: "retry", Test: testProbeRetry,
			Sentence: "An attempt with KeepRetry is recorded and does not count in Claim.Retry."},
		{Name: "many", Test: testManyAttempts,
			Sentence: "Of a delivery's attempts the newest MaxAttempts are kept, with their " +
				"numbers."},
		{Name: "later", Test: testProbeLater,
			Sentence: "A probe takes nothing before its NotBefore, and takes what it may."},
		{Name: "closed", Test: testProbeClosed,
			Sentence: "When the breaker closes, all that it held back is due, in the order of " +
				"attempts and events."},
		{Name: "closed-restart", Test: testProbeClosedRestart, Restarts: true,
			Sentence: "What an open breaker holds back is due when it closes, also after a " +
				"restart."},
	}
}

// broken returns a subscription whose breaker is open and that is to be probed at once, and the IDs
// of so many events of it. The first of them was tried, three times.
func broken(c *check.Driver, n int) (sub store.Subscription, ids []string) {
	sub = c.Subscribe()
	ids = c.Publish(1)
	for range 3 {
		c.Counts(opens(c, c.ClaimOne()))
		c.Pass(probeGap)
	}
	return sub, append(ids, c.Publish(n-1)...)
}

// probeGap is the time between two probes.
const probeGap = 10 * time.Millisecond

// opens is the outcome of an attempt after which the breaker is open.
func opens(c *check.Driver, cl store.Claim) store.Outcome {
	o := check.Failed(cl, c.Long)
	o.Probe = store.ProbePolicy{Threshold: 1, First: probeGap, Max: probeGap}
	o.KeepRetry = cl.Probe
	return o
}

// probe claims a probe, and checks which delivery it takes.
func probe(c *check.Driver, want string) store.Claim {
	claims := c.ClaimWith(store.ClaimRequest{Max: 10, BreakerThreshold: 3}).Claims
	c.SameIDs("a probe", check.Claimed(claims), []string{want})
	if len(claims) != 1 {
		c.Fatalf("claims of a probe: got %d, want 1", len(claims))
	}
	check.Equal(c, "Claim.Probe", claims[0].Probe, true)
	return claims[0]
}

// probed lets a probe fail.
func probed(c *check.Driver, cl store.Claim) {
	c.Counts(opens(c, cl))
	c.Pass(probeGap)
}

func testProbeNewest(c *check.Driver) {
	_, ids := broken(c, 4)
	for _, want := range []string{ids[3], ids[2], ids[1]} {
		probed(c, probe(c, want))
	}
	newer := c.Publish(2)
	probed(c, probe(c, newer[1]))
	probed(c, probe(c, newer[0]))
}

// testProbeNewestRestart has more than a store may keep in memory of one subscription, with and
// without keys: where deliveries are kept may depend on that.
func testProbeNewestRestart(c *check.Driver) {
	const n = 400
	for _, key := range []string{"", "key"} {
		sub, ids := broken(c, 1)
		evs := c.Messages(n)
		for i := range evs {
			if key != "" {
				evs[i].Key = fmt.Sprint(key, i) // each alone
			}
		}
		c.Enqueue(evs...)
		ids = append(ids, check.EventIDs(evs)...)
		for i := range 6 {
			if i%2 == 0 {
				c.Reopen()
			}
			probed(c, probe(c, ids[n-i]))
		}
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	}
}

func testProbeFewest(c *check.Driver) {
	_, ids := broken(c, 3)
	for _, i := range []int{2, 1, 1, 2, 1, 2, 0, 1} {
		probed(c, probe(c, ids[i]))
	}
}

func testProbeAsked(c *check.Driver) {
	sub, ids := broken(c, 5)
	for _, i := range []int{2, 0, 3} { // one that was not tried, one that was, and another
		check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{
			SubscriptionID: sub.ID, EventID: ids[i], States: []store.State{store.Pending},
		}), 1)
		probed(c, probe(c, ids[i]))
	}
	probed(c, probe(c, ids[4]))
	c.Counts(check.Dead(probe(c, ids[1])))
	c.Pass(probeGap)
	c.Requeue(store.DeliveryQuery{SubscriptionID: sub.ID, EventID: ids[1]})
	c.Publish(1)
	probed(c, probe(c, ids[1]))
}

func testProbeKeys(c *check.Driver) {
	_, _ = broken(c, 1)
	evs := c.Messages(4)
	evs[1].Key, evs[3].Key = "k", "k"
	c.Enqueue(evs...)
	ids := check.EventIDs(evs)
	for _, want := range []string{ids[2], ids[1]} {
		probed(c, probe(c, want))
	}
	c.Counts(check.Dead(requeued(c, ids[1])))
	c.Pass(probeGap)
	probed(c, probe(c, ids[3]))
}

// requeued asks for a delivery and returns the probe of it.
func requeued(c *check.Driver, id string) store.Claim {
	c.Requeue(store.DeliveryQuery{EventID: id, States: []store.State{store.Pending}})
	return probe(c, id)
}

func testProbeOne(c *check.Driver) {
	_, ids := broken(c, 4)
	req := store.ClaimRequest{Max: 10, BreakerThreshold: 3}
	cl := probe(c, ids[3])
	check.Equal(c, "claims beside a probe", len(c.ClaimWith(req).Claims), 0)
	c.Release(cl)
	cl = probe(c, ids[3])
	c.Counts(check.Delivered(cl))
	claims := c.ClaimWith(req).Claims
	check.Equal(c, "claims after a probe that succeeds", len(claims), 3)
	for _, cl := range claims {
		check.Equal(c, "Claim.Probe once the breaker is closed", cl.Probe, false)
	}
}

func testProbeSchedule(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	req := store.ClaimRequest{Max: 10, BreakerThreshold: 1}
	cl := c.ClaimOne()
	for i, tc := range []struct {
		jitter float64
		want   time.Duration
	}{{0, c.Short}, {0, 2 * c.Short}, {0.5, c.Short}, {0, 2 * c.Short}} {
		o, began := check.Failed(cl, c.Long), time.Now()
		o.Probe = store.ProbePolicy{
			Threshold: 1, First: c.Short, Max: 2 * c.Short, Jitter: tc.jitter,
		}
		h := c.Counts(o).After
		what := fmt.Sprintf("after %d failures", i+1)
		c.Near("NextProbeAt "+what, h.NextProbeAt, began.Add(tc.want))
		got := c.ClaimWith(req)
		if !c.Late(began) {
			check.Equal(c, "claims at once "+what, len(got.Claims), 0)
			c.Near("the end of NextDue "+what, began.Add(got.NextDue), h.NextProbeAt)
		}
		c.Pass(tc.want)
		claims := append(got.Claims, c.ClaimWith(req).Claims...)
		if len(claims) != 1 {
			c.Fatalf("claims of the probe %s: got %d, want 1", what, len(claims))
		}
		cl = claims[0]
	}
}

func testProbeRetry(c *check.Driver) {
	_, ids := broken(c, 1)
	for i := range 3 {
		cl := probe(c, ids[0])
		check.Equal(c, "Attempt of a probe", cl.Attempt, 4+i)
		check.Equal(c, "Retry of a probe", cl.Retry, 3)
		probed(c, cl)
	}
}

func testProbeClosed(c *check.Driver) {
	sub, ids := broken(c, 6)
	probed(c, probe(c, ids[5]))
	probed(c, probe(c, ids[4]))
	c.Counts(check.Delivered(probe(c, ids[3])))
	for _, d := range c.Deliveries(store.DeliveryQuery{SubscriptionID: sub.ID,
		States: []store.State{store.Pending}}) {
		if d.DueAt.After(time.Now().Add(c.Skew)) {
			c.Errorf("DueAt of %s: got %v, want it due", d.EventID, d.DueAt)
		}
	}
	got := check.Claimed(c.Claim(10))
	c.SameIDs("claims once the breaker is closed", only(got, ids[1], ids[2]),
		[]string{ids[1], ids[2]})
	c.SameIDs("claims of what was tried", only(got, ids[0], ids[4], ids[5]),
		[]string{ids[4], ids[5], ids[0]})
}

func testProbeClosedRestart(c *check.Driver) {
	_, ids := broken(c, 2)
	probed(c, probe(c, ids[1]))
	c.Reopen()
	c.Counts(check.Delivered(probe(c, ids[1])))
	c.Reopen()
	c.SameIDs("claims once the breaker is closed", check.Claimed(c.Claim(10)), ids[:1])
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

func testManyAttempts(c *check.Driver) {
	const more = 3
	sub, ids := broken(c, 1)
	for range store.MaxAttempts + more - 3 {
		probed(c, probe(c, ids[0]))
	}
	got, err := c.Store.Attempts(c.Ctx(), sub.ID, ids[0])
	c.Must("Attempts", err)
	check.Equal(c, "attempts that are kept", len(got), store.MaxAttempts)
	for i, a := range got {
		if a.Number != more+1+i || a.Status != 500 {
			c.Errorf("attempt %d that is kept: got %+v, want number %d", i, a, more+1+i)
		}
	}
	d := c.Deliveries(store.DeliveryQuery{SubscriptionID: sub.ID})[0]
	check.Equal(c, "Delivery.Attempts", d.Attempts, store.MaxAttempts+more)
	cl := probe(c, ids[0])
	check.Equal(c, "Claim.Attempt", cl.Attempt, store.MaxAttempts+more+1)
	check.Equal(c, "Claim.Retry", cl.Retry, 3)
}

func testProbeLater(c *check.Driver) {
	_, ids := broken(c, 1)
	ev := c.Event("message.created")
	ev.NotBefore = time.Now().Add(c.Long)
	c.Enqueue(ev)
	c.Counts(check.Dead(probe(c, ids[0])))
	c.Pass(2 * probeGap)
	claims := c.ClaimWith(store.ClaimRequest{Max: 10, BreakerThreshold: 3}).Claims
	c.SameIDs("probes of nothing but what waits for NotBefore", check.Claimed(claims), nil)
	probe(c, c.Publish(1)[0])
}
