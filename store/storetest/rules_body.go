package storetest

import (
	"bytes"

	"github.com/outhook/outhook/store"
)

func bodyRules() []rule {
	return []rule{
		{name: "own", test: testOwnBody,
			rule: "Outcome.BodyOverride is kept for the delivery: later claims of it have it beside the event's Body, " +
				"other deliveries of the event do not."},
		{name: "states", test: testBodyStates,
			rule: "Each BodyState is kept; only BodyOverridden comes with a BodyOverride, which may be empty."},
		{name: "stays", test: testOwnBodyStays,
			rule: "A body override stays until another comes, whatever becomes of the lease."},
		{name: "requeued", test: testOwnBodyRequeued,
			rule: "A delivery that is requeued has its body override."},
		{name: "only-failures", test: testOwnBodyOnlyFailures,
			rule: "A body override is kept only with Pending and Dead, of outcomes that count."},
		{name: "content", test: testOwnBodyContent,
			rule: "A body override is not the event's content."},
		{name: "large", test: testOwnBodyLarge,
			rule: "A body override is kept whatever its size and bytes."},
		{name: "reference", test: testOwnBodyReference,
			rule: "A store keeps no reference to the body override it was given."},
		{name: "restart", test: testOwnBodyRestart, restart: true,
			rule: "A body override is there after a restart."},
	}
}

// withBody returns the outcome with a body override.
func withBody(o store.Outcome, body string) store.Outcome {
	o.BodyState, o.BodyOverride = store.BodyOverridden, []byte(body)
	return o
}

// sent returns what an attempt for a claim sends.
func sent(cl store.Claim) string {
	if cl.BodyState == store.BodyOverridden {
		return string(cl.BodyOverride)
	}
	return string(cl.Body)
}

func testBodyStates(c *check) {
	c.subscribe()
	c.publish(2)
	first := c.claimOne()
	equal(c, "BodyState at first", first.BodyState, store.BodyUndecided)
	body, last, want := string(first.Body), store.BodyUndecided, ""
	o := failed(first, 0)
	for _, state := range []store.BodyState{
		store.BodyUnfiltered, store.BodyUndecided, store.BodyUnchanged, store.BodyOverridden, store.BodyUndecided,
		store.BodyUnfiltered, store.BodyOverridden, store.BodyUnchanged,
	} {
		for _, override := range []string{"", "its own"} {
			o.BodyState, o.BodyOverride = state, nil
			if state == store.BodyOverridden {
				o.BodyOverride = []byte(override)
			}
			c.counts(o)
			if state != store.BodyUndecided { // or else what was there stays
				last, want = state, string(o.BodyOverride)
			}
			cl := c.mine(first.Lease)
			equal(c, "BodyState", cl.BodyState, last)
			equal(c, "BodyOverride", string(cl.BodyOverride), want)
			equal(c, "Body", string(cl.Body), body)
			o = failed(cl, 0)
		}
	}
}

// mine claims all, and returns the claim of one delivery.
func (c *check) mine(l store.Lease) store.Claim {
	var mine *store.Claim
	for _, cl := range c.claim(100) {
		if cl.SubscriptionID == l.SubscriptionID && cl.EventID == l.EventID {
			mine = &cl
		} else {
			c.release(cl)
		}
	}
	if mine == nil {
		c.fatalf("%s for %s: got no claim", l.EventID, l.SubscriptionID)
	}
	return *mine
}

func testOwnBody(c *check) {
	sub := c.subscribe()
	c.subscribe()
	ids := c.publish(2)
	bodies := make(map[string]string)
	c.each(4, func(cl store.Claim) store.Outcome {
		bodies[cl.EventID] = sent(cl)
		o := failed(cl, 0)
		if cl.SubscriptionID == sub.ID && cl.EventID == ids[0] {
			return withBody(o, "its own")
		}
		return o
	})
	for _, cl := range c.claim(4) {
		want := bodies[cl.EventID]
		if cl.SubscriptionID == sub.ID && cl.EventID == ids[0] {
			want = "its own"
		}
		equal(c, "Body of "+cl.EventID+" for "+cl.SubscriptionID, sent(cl), want)
	}
}

func testOwnBodyStays(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(withBody(failed(c.claimOne(), 0), "its own"))
	cl := c.claimOne()
	equal(c, "Body", sent(cl), "its own")
	c.release(cl)
	late, present := c.twice()
	equal(c, "Body after a release", sent(late), "its own")
	equal(c, "Body after a lease ran out", sent(present), "its own")
	c.counts(failed(present, 0))
	cl = c.claimOne()
	equal(c, "Body after an outcome without one", sent(cl), "its own")
	c.counts(withBody(failed(cl, 0), "another"))
	equal(c, "Body after an outcome with another", sent(c.claimOne()), "another")
}

func testOwnBodyRequeued(c *check) {
	c.subscribe()
	ids := c.publish(2)
	c.counts(withBody(dead(c.claimOne()), "with dead"))
	c.counts(withBody(failed(c.claimOne(), 0), "with pending"))
	c.counts(delivered(c.claimOne()))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 2)
	want := map[string]string{ids[0]: "with dead", ids[1]: "with pending"}
	for _, cl := range c.claim(10) {
		equal(c, "Body of "+cl.EventID, sent(cl), want[cl.EventID])
	}
}

func testOwnBodyOnlyFailures(c *check) {
	c.subscribe()
	c.publish(2)
	late := c.claimOne()
	c.release(late)
	present := c.claimOne()
	body := sent(present)
	c.ignored(withBody(failed(late, 0), "of a late one"))
	c.counts(failed(present, 0))
	again := c.claimOne()
	equal(c, "Body after an outcome that was ignored", sent(again), body)
	c.counts(withBody(delivered(again), "with delivered"))
	other := c.claimOne()
	otherBody := sent(other)
	c.counts(withBody(canceled(other, "filtered"), "with canceled"))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 2)
	want := map[string]string{present.EventID: body, other.EventID: otherBody}
	for _, cl := range c.claim(10) {
		equal(c, "Body of "+cl.EventID, sent(cl), want[cl.EventID])
	}
}

func testOwnBodyContent(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	c.enqueue(ev)
	c.counts(withBody(failed(c.claimOne(), 0), "its own"))
	c.enqueue(ev)
	late := c.subscribe()
	c.must("Enqueue of the same content", c.store.Enqueue(c.ctx, ev))
	equal(c, "deliveries for a subscription made later", c.stats(late.ID).Pending, 0)
	equal(c, "Body", sent(c.claimOne()), "its own")
}

func testOwnBodyLarge(c *check) {
	c.subscribe()
	c.publish(1)
	for _, body := range [][]byte{bytes.Repeat([]byte("large "), 50_000), {0, 1, 255, '"', '\n'}, []byte("x")} {
		o := failed(c.claimOne(), 0)
		o.BodyState, o.BodyOverride = store.BodyOverridden, body
		c.counts(o)
		cl := c.claimOne()
		if !bytes.Equal(cl.BodyOverride, body) {
			c.errorf("BodyOverride: got %d bytes, want the %d that were given", len(cl.BodyOverride), len(body))
		}
		c.release(cl)
	}
}

func testOwnBodyReference(c *check) {
	c.subscribe()
	c.publish(1)
	o := withBody(failed(c.claimOne(), 0), "its own")
	c.counts(o)
	o.BodyOverride[0] = 'x'
	equal(c, "Body after the given one was changed", sent(c.claimOne()), "its own")
}

func testOwnBodyRestart(c *check) {
	c.subscribe()
	ids := c.publish(3)
	claims := c.claim(2)
	c.finish(withBody(failed(claims[0], 0), "with pending"), withBody(dead(claims[1]), "with dead"))
	c.reopen()
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 1)
	c.reopen()
	got := make(map[string]string)
	for _, cl := range c.claim(10) {
		got[cl.EventID] = sent(cl)
	}
	equal(c, "claims", len(got), 3)
	equal(c, "Body of the one that was to be tried again", got[ids[0]], "with pending")
	equal(c, "Body of the one that was dead", got[ids[1]], "with dead")
	if body := got[ids[2]]; body == "with pending" || body == "with dead" {
		c.errorf("Body of another: got %q, want the event's", body)
	}
}
