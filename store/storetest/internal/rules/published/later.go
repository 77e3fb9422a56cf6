package published

import (
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func laterRules() []check.Rule {
	return []check.Rule{
		{Name: "claims", Test: testLater,
			Sentence: "Nothing is claimed before the event's NotBefore, and others are: it waits for " +
				"that, is due then, and Claim says when."},
		{Name: "order", Test: testLaterOrder,
			Sentence: "What waits for NotBefore is claimed by that time, and not by when it was " +
				"enqueued."},
		{Name: "key", Test: testLaterKey,
			Sentence: "A delivery behind one of the same key that waits for NotBefore waits for it."},
		{Name: "requeue", Test: testLaterRequeue,
			Sentence: "Requeue makes nothing due before its NotBefore: it passes over what waits for " +
				"that, and what has ended waits for it again."},
		{Name: "restart", Test: testLaterRestart, Restarts: true,
			Sentence: "What waits for NotBefore waits for it after a restart."},
		{Name: "many", Test: testLaterMany,
			Sentence: "Very many that wait for NotBefore delay none that does not."},
	}
}

// later returns an event that is not to be sent before a while from now.
func later(c *check.Driver, d time.Duration) events.Event {
	ev := c.Event("message.created")
	ev.NotBefore = time.Now().Add(d)
	return ev
}

// waitsFor checks what the delivery of an event waits for.
func waitsFor(c *check.Driver, what, eventID string, want store.Wait) store.Delivery {
	d := c.Delivery("", eventID)
	check.Equal(c, what+": state", d.State, store.Pending)
	check.Equal(c, what+": Wait", d.Wait, want)
	return d
}

// claimsOnly claims all there is, and checks that it is what is wanted, in order.
func claimsOnly(c *check.Driver, what string, ids ...string) []store.Claim {
	claims := c.Claim(100)
	c.SameIDs(what, check.Claimed(claims), ids)
	return claims
}

// comes claims until there is something, and checks that it is the one wanted: a store knows its
// server's clock to some milliseconds alone.
func comes(c *check.Driver, what, wantID string) store.Claim {
	tries := 20
	if c.Slow { // its server may have more to do than it can
		tries = 400
	}
	for range tries {
		if claims := c.Claim(100); len(claims) > 0 {
			c.SameIDs(what, check.Claimed(claims), []string{wantID})
			return claims[0]
		}
		c.Pass(c.Short / 20)
	}
	return c.Next(what, wantID)
}

func testLater(c *check.Driver) {
	c.Subscribe()
	ev := later(c, c.Short)
	c.Enqueue(ev)
	plain := c.Publish(2)
	over := later(c, -c.Short)
	c.Enqueue(over)
	d := waitsFor(c, "before NotBefore", ev.ID, store.WaitNotBefore)
	want := events.Millisecond(ev.NotBefore)
	if !d.WaitUntil.Equal(want) || !d.DueAt.Equal(want) {
		c.Errorf("before NotBefore: got it waiting until %v, due at %v, want %v", d.WaitUntil, d.DueAt,
			want)
	}
	claims := c.ClaimWith(store.ClaimRequest{Max: 100})
	if !c.Late(ev.NotBefore.Add(-c.Short)) {
		c.SameIDs("claims before NotBefore", check.Claimed(claims.Claims), append(plain, over.ID))
		if claims.NextDue <= 0 || claims.NextDue > c.Short+time.Millisecond {
			c.Errorf("NextDue before NotBefore: got %v, want about %v", claims.NextDue, c.Short)
		}
	} else {
		return // the machine is too slow to tell
	}
	c.Pass(time.Until(ev.NotBefore) + 2*time.Millisecond)
	waitsFor(c, "from NotBefore on", ev.ID, store.WaitDue)
	cl := comes(c, "from NotBefore on", ev.ID)
	check.Equal(c, "the attempt", cl.Attempt, 1)
	c.Counts(check.Failed(cl, 0))
	c.Counts(check.Delivered(c.Next("the retry", ev.ID)))
}

func testLaterOrder(c *check.Driver) {
	c.Subscribe()
	second, first := later(c, c.Short+5*time.Millisecond), later(c, c.Short)
	c.Enqueue(second, first)
	c.Pass(time.Until(second.NotBefore) + 2*time.Millisecond)
	claimsOnly(c, "claims by NotBefore", first.ID, second.ID)
}

func testLaterKey(c *check.Driver) {
	c.Subscribe()
	ev := later(c, c.Short)
	ev.Key = "k"
	c.Enqueue(ev)
	behind, other := c.Keyed("k")[0], c.Keyed("l")[0]
	began := ev.NotBefore.Add(-c.Short)
	claims := c.Claim(100)
	if !c.Late(began) {
		c.SameIDs("claims before NotBefore", check.Claimed(claims), []string{other})
		waitsFor(c, "behind one of its key", behind, store.WaitKey)
	} else {
		return // the machine is too slow to tell
	}
	c.Pass(time.Until(ev.NotBefore) + 2*time.Millisecond)
	c.Counts(check.Delivered(comes(c, "from NotBefore on", ev.ID)))
	c.Next("behind one that was delivered", behind)
}

func testLaterRequeue(c *check.Driver) {
	sub := c.Subscribe()
	ev := later(c, c.Long)
	c.Enqueue(ev)
	for _, q := range []store.DeliveryQuery{{States: store.States()},
		{EventID: ev.ID, States: store.States()}} {
		check.Equal(c, "requeued of what waits for NotBefore", c.Requeue(q), 0)
		claimsOnly(c, "claims after a requeue of what waits for NotBefore")
	}
	c.Unsubscribe(sub.ID, "")
	c.Resubscribe(sub.ID)
	check.Equal(c, "requeued of what was canceled", c.Requeue(store.DeliveryQuery{EventID: ev.ID}), 1)
	waitsFor(c, "requeued before NotBefore", ev.ID, store.WaitNotBefore)
	claimsOnly(c, "claims of what was requeued before NotBefore")
}

func testLaterRestart(c *check.Driver) {
	c.Subscribe()
	ev := later(c, c.Long)
	soon := later(c, c.Short)
	c.Enqueue(ev, soon)
	c.Reopen()
	waitsFor(c, "after a restart", ev.ID, store.WaitNotBefore)
	c.Pass(time.Until(soon.NotBefore) + 2*time.Millisecond)
	comes(c, "after a restart", soon.ID)
}

func testLaterMany(c *check.Driver) {
	c.Subscribe()
	const many = 2000
	for range many / 500 {
		evs := c.Messages(500)
		for i := range evs {
			evs[i].NotBefore = time.Now().Add(c.Long)
		}
		c.Enqueue(evs...)
	}
	id := c.Publish(1)[0]
	c.Counts(check.Delivered(c.Next("beside very many that wait", id)))
	claimsOnly(c, "claims of what waits")
	check.Equal(c, "pending", c.Stats("").Pending, many)
}
