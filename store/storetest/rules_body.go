package storetest

import (
	"bytes"

	"github.com/outhook/outhook/store"
)

func bodyRules() []rule {
	return []rule{
		{name: "own", test: testOwnBody,
			rule: "Outcome.Body is kept as the delivery's own: later claims of it have it, other deliveries of the " +
				"event do not."},
		{name: "stays", test: testOwnBodyStays,
			rule: "A body of its own stays until another comes, whatever becomes of the lease."},
		{name: "requeued", test: testOwnBodyRequeued,
			rule: "A delivery that is requeued has its own body."},
		{name: "only-failures", test: testOwnBodyOnlyFailures,
			rule: "Outcome.Body is kept only with Pending and Dead, of outcomes that count."},
		{name: "content", test: testOwnBodyContent,
			rule: "A body of its own is not the event's content."},
		{name: "large", test: testOwnBodyLarge,
			rule: "A body of its own is kept whatever its size and bytes."},
		{name: "reference", test: testOwnBodyReference,
			rule: "A store keeps no reference to the body it was given."},
		{name: "restart", test: testOwnBodyRestart, restart: true,
			rule: "A body of its own is there after a restart."},
	}
}

// withBody returns the outcome with a body.
func withBody(o store.Outcome, body string) store.Outcome {
	o.Body = []byte(body)
	return o
}

func testOwnBody(c *check) {
	sub := c.subscribe()
	c.subscribe()
	ids := c.publish(2)
	bodies := make(map[string]string)
	c.each(4, func(cl store.Claim) store.Outcome {
		bodies[cl.EventID] = string(cl.Body)
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
		equal(c, "Body of "+cl.EventID+" for "+cl.SubscriptionID, string(cl.Body), want)
	}
}

func testOwnBodyStays(c *check) {
	c.subscribe()
	c.publish(1)
	c.counts(withBody(failed(c.claimOne(), 0), "its own"))
	cl := c.claimOne()
	equal(c, "Body", string(cl.Body), "its own")
	c.release(cl)
	late, present := c.twice()
	equal(c, "Body after a release", string(late.Body), "its own")
	equal(c, "Body after a lease ran out", string(present.Body), "its own")
	c.counts(failed(present, 0))
	cl = c.claimOne()
	equal(c, "Body after an outcome without one", string(cl.Body), "its own")
	c.counts(withBody(failed(cl, 0), "another"))
	equal(c, "Body after an outcome with another", string(c.claimOne().Body), "another")
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
		equal(c, "Body of "+cl.EventID, string(cl.Body), want[cl.EventID])
	}
}

func testOwnBodyOnlyFailures(c *check) {
	c.subscribe()
	c.publish(2)
	late := c.claimOne()
	c.release(late)
	present := c.claimOne()
	body := string(present.Body)
	c.ignored(withBody(failed(late, 0), "of a late one"))
	c.counts(failed(present, 0))
	again := c.claimOne()
	equal(c, "Body after an outcome that was ignored", string(again.Body), body)
	c.counts(withBody(delivered(again), "with delivered"))
	other := c.claimOne()
	otherBody := string(other.Body)
	c.counts(withBody(canceled(other, "filtered"), "with canceled"))
	equal(c, "requeued", c.requeue(store.DeliveryQuery{}), 2)
	want := map[string]string{present.EventID: body, other.EventID: otherBody}
	for _, cl := range c.claim(10) {
		equal(c, "Body of "+cl.EventID, string(cl.Body), want[cl.EventID])
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
	equal(c, "Body", string(c.claimOne().Body), "its own")
}

func testOwnBodyLarge(c *check) {
	c.subscribe()
	c.publish(1)
	for _, body := range [][]byte{bytes.Repeat([]byte("large "), 50_000), {0, 1, 255, '"', '\n'}, []byte("x")} {
		o := failed(c.claimOne(), 0)
		o.Body = body
		c.counts(o)
		cl := c.claimOne()
		if !bytes.Equal(cl.Body, body) {
			c.errorf("Body: got %d bytes, want the %d that were given", len(cl.Body), len(body))
		}
		c.release(cl)
	}
}

func testOwnBodyReference(c *check) {
	c.subscribe()
	c.publish(1)
	o := withBody(failed(c.claimOne(), 0), "its own")
	c.counts(o)
	o.Body[0] = 'x'
	equal(c, "Body after the given one was changed", string(c.claimOne().Body), "its own")
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
		got[cl.EventID] = string(cl.Body)
	}
	equal(c, "claims", len(got), 3)
	equal(c, "Body of the one that was to be tried again", got[ids[0]], "with pending")
	equal(c, "Body of the one that was dead", got[ids[1]], "with dead")
	if body := got[ids[2]]; body == "with pending" || body == "with dead" {
		c.errorf("Body of another: got %q, want the event's", body)
	}
}
