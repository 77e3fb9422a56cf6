package outcomes

import (
	"bytes"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func bodyRules() []check.Rule {
	return []check.Rule{
		{Name: "own", Test: testOwnBody,
			Sentence: "Outcome.BodyOverride is kept for the delivery: later claims of it have " +
				"it beside the event's Body, other deliveries of the event do not."},
		{Name: "states", Test: testBodyStates,
			Sentence: "Each BodyState is kept; only one that HasOverride comes with a BodyOverride, " +
				"which may be empty."},
		{Name: "stays", Test: testOwnBodyStays,
			Sentence: "A body override stays until another replaces it, also if the lease runs " +
				"out or is released."},
		{Name: "requeued", Test: testOwnBodyRequeued,
			Sentence: "A delivery that is requeued has its body override, also if it was " +
				"delivered."},
		{Name: "successes", Test: testOwnBodySuccesses,
			Sentence: "Of deliveries of one subscription that succeed one after another, each has its " +
				"own body override and BodyState."},
		{Name: "only-counted", Test: testOwnBodyOnlyCounted,
			Sentence: "A body override is kept of outcomes that count, a late success too, and not " +
				"with Canceled."},
		{Name: "content", Test: testOwnBodyContent,
			Sentence: "A body override is not the event's content."},
		{Name: "large", Test: testOwnBodyLarge,
			Sentence: "A body override of any size, with any bytes, is kept exactly."},
		{Name: "reference", Test: testOwnBodyReference,
			Sentence: "A store keeps no reference to the body override it was given."},
		{Name: "restart", Test: testOwnBodyRestart, Restarts: true,
			Sentence: "A body override is there after a restart."},
	}
}

// sent returns what an attempt for a claim sends.
func sent(cl store.Claim) string {
	if cl.BodyState == store.BodyOverridden {
		return string(cl.BodyOverride)
	}
	return string(cl.Body)
}

func testBodyStates(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	first := c.ClaimOne()
	check.Equal(c, "BodyState at first", first.BodyState, store.BodyUndecided)
	body, last, want := string(first.Body), store.BodyUndecided, ""
	o := check.Failed(first, 0)
	for _, state := range []store.BodyState{
		store.BodyUnsent, store.BodyUndecided, store.BodyUnchanged, store.BodyOverridden,
		store.BodyUndecided, store.BodyUnsent, store.BodyOverridden, store.BodyUnchanged,
	} {
		for _, override := range []string{"", "its own"} {
			o.BodyState, o.BodyOverride = state, nil
			if state.HasOverride() {
				o.BodyOverride = []byte(override)
			}
			c.Counts(o)
			if state != store.BodyUndecided { // or else what was there stays
				last, want = state, string(o.BodyOverride)
			}
			cl := mine(c, first.EventID)
			check.Equal(c, "BodyState", cl.BodyState, last)
			check.Equal(c, "BodyOverride", string(cl.BodyOverride), want)
			check.Equal(c, "Body", string(cl.Body), body)
			o = check.Failed(cl, 0)
		}
	}
}

// mine claims all, and returns the claim of one event.
func mine(c *check.Driver, eventID string) store.Claim {
	var mine *store.Claim
	for _, cl := range c.Claim(100) {
		if cl.EventID == eventID {
			mine = &cl
		} else {
			c.Release(cl)
		}
	}
	if mine == nil {
		c.Fatalf("%s: got no claim", eventID)
	}
	return *mine
}

func testOwnBody(c *check.Driver) {
	sub := c.Subscribe()
	c.Subscribe()
	ids := c.Publish(2)
	bodies := make(map[string]string)
	c.Each(4, func(cl store.Claim) store.Outcome {
		bodies[cl.EventID] = sent(cl)
		o := check.Failed(cl, 0)
		if cl.SubscriptionID == sub.ID && cl.EventID == ids[0] {
			return check.WithBody(o, "its own")
		}
		return o
	})
	for _, cl := range c.Claim(4) {
		want := bodies[cl.EventID]
		if cl.SubscriptionID == sub.ID && cl.EventID == ids[0] {
			want = "its own"
		}
		check.Equal(c, "Body of "+cl.EventID+" for "+cl.SubscriptionID, sent(cl), want)
	}
}

func testOwnBodyStays(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.WithBody(check.Failed(c.ClaimOne(), 0), "its own"))
	cl := c.ClaimOne()
	check.Equal(c, "Body", sent(cl), "its own")
	c.Release(cl)
	late, present := twice(c)
	check.Equal(c, "Body after a release", sent(late), "its own")
	check.Equal(c, "Body after a lease ran out", sent(present), "its own")
	c.Counts(check.Failed(present, 0))
	cl = c.ClaimOne()
	check.Equal(c, "Body after an outcome without one", sent(cl), "its own")
	c.Counts(check.WithBody(check.Failed(cl, 0), "another"))
	check.Equal(c, "Body after an outcome with another", sent(c.ClaimOne()), "another")
}

func testOwnBodyRequeued(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(4)
	c.Counts(check.WithBody(check.Dead(c.ClaimOne()), "with dead"))
	c.Counts(check.WithBody(check.Failed(c.ClaimOne(), 0), "with pending"))
	c.Counts(check.WithBody(check.Delivered(mine(c, ids[2])), "with delivered"))
	o := check.Delivered(mine(c, ids[3]))
	o.BodyState = store.BodyUnchanged
	c.Counts(o)
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 4)
	want := map[string]string{ids[0]: "with dead", ids[1]: "with pending", ids[2]: "with delivered"}
	for _, cl := range c.Claim(10) {
		if cl.EventID == ids[3] {
			check.Equal(c, "BodyState of "+cl.EventID, cl.BodyState, store.BodyUnchanged)
			continue
		}
		check.Equal(c, "Body of "+cl.EventID, sent(cl), want[cl.EventID])
	}
}

// testOwnBodySuccesses has many, as a store may record a success apart that leaves health alone.
func testOwnBodySuccesses(c *check.Driver) {
	const n = 20
	c.Subscribe()
	c.Publish(n)
	for i := range n {
		o := check.Delivered(c.ClaimOne())
		if o.BodyState = store.BodyUnchanged; i%2 == 0 {
			o = check.WithBody(o, "that of "+o.EventID)
		}
		c.Counts(o)
	}
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), n)
	unchanged := 0
	for _, cl := range c.Claim(n) {
		if cl.BodyState == store.BodyUnchanged {
			unchanged++
			continue
		}
		check.Equal(c, "Body of "+cl.EventID, sent(cl), "that of "+cl.EventID)
	}
	check.Equal(c, "claims with BodyUnchanged", unchanged, n/2)
}

func testOwnBodyOnlyCounted(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	late := c.ClaimOne()
	c.Release(late)
	present := c.ClaimOne()
	body := sent(present)
	c.Ignored(check.WithBody(check.Failed(late, 0), "of a late one"))
	c.Counts(check.Failed(present, 0))
	again := mine(c, present.EventID)
	check.Equal(c, "Body after an outcome that was ignored", sent(again), body)
	c.Counts(check.WithBody(check.Delivered(late), "of a late success"))
	c.Ignored(check.WithBody(check.Delivered(again), "of a second success"))
	other := c.ClaimOne()
	otherBody := sent(other)
	c.Counts(check.WithBody(check.Canceled(other, "filtered"), "with canceled"))
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 2)
	want := map[string]string{present.EventID: "of a late success", other.EventID: otherBody}
	for _, cl := range c.Claim(10) {
		if w, ok := want[cl.EventID]; ok {
			check.Equal(c, "Body of "+cl.EventID, sent(cl), w)
		}
	}
}

func testOwnBodyContent(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	c.Enqueue(ev)
	c.Counts(check.WithBody(check.Failed(c.ClaimOne(), 0), "its own"))
	c.Enqueue(ev)
	late := c.Subscribe()
	c.Must("Enqueue of the same content", c.Store.Enqueue(c.Ctx(), ev))
	check.Equal(c, "deliveries for a subscription made later", c.Stats(late.ID).Pending, 0)
	check.Equal(c, "Body", sent(c.ClaimOne()), "its own")
}

func testOwnBodyLarge(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	for _, body := range [][]byte{bytes.Repeat([]byte("large "), 50_000), {0, 1, 255, '"', '\n'},
		[]byte("x")} {
		o := check.Failed(c.ClaimOne(), 0)
		o.BodyState, o.BodyOverride = store.BodyOverridden, body
		c.Counts(o)
		cl := c.ClaimOne()
		if !bytes.Equal(cl.BodyOverride, body) {
			c.Errorf("BodyOverride: got %d bytes, want the %d that were given",
				len(cl.BodyOverride), len(body))
		}
		c.Release(cl)
	}
}

func testOwnBodyReference(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	o := check.WithBody(check.Failed(c.ClaimOne(), 0), "its own")
	c.Counts(o)
	o.BodyOverride[0] = 'x'
	check.Equal(c, "Body after the given one was changed", sent(c.ClaimOne()), "its own")
}

func testOwnBodyRestart(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(3)
	claims := c.Claim(2)
	c.Finish(check.WithBody(check.Failed(claims[0], 0), "with pending"),
		check.WithBody(check.Dead(claims[1]), "with dead"))
	c.Reopen()
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{}), 1)
	c.Reopen()
	got := make(map[string]string)
	for _, cl := range c.Claim(10) {
		got[cl.EventID] = sent(cl)
	}
	check.Equal(c, "claims", len(got), 3)
	check.Equal(c, "Body of the one that was to be tried again", got[ids[0]], "with pending")
	check.Equal(c, "Body of the one that was dead", got[ids[1]], "with dead")
	if body := got[ids[2]]; body == "with pending" || body == "with dead" {
		c.Errorf("Body of another: got %q, want the event's", body)
	}
}
