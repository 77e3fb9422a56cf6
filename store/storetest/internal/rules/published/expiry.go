package published

import (
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func expiryRules() []check.Rule {
	return []check.Rule{
		{Name: "claims", Test: testExpires,
			Sentence: "From the event's ExpiresAt on nothing of it is claimed, and what is pending is " +
				"canceled with \"expired\" at that time."},
		{Name: "retry", Test: testExpiresRetry,
			Sentence: "A retry that is due after ExpiresAt is not made, and the attempts stay."},
		{Name: "held", Test: testExpiresHeld,
			Sentence: "What expires while its endpoint is held is canceled then."},
		{Name: "paused", Test: testExpiresPaused,
			Sentence: "What expires while its subscription is Paused is canceled then."},
		{Name: "unsubscribed", Test: testExpiresUnsubscribed,
			Sentence: "What was canceled before it expired says why."},
		{Name: "leased", Test: testExpiresLeased,
			Sentence: "An outcome that comes after ExpiresAt counts only if it is a success."},
		{Name: "key", Test: testExpiresKey,
			Sentence: "What waits behind a delivery of its key can be claimed when that has expired."},
		{Name: "at-once", Test: testExpiresAtOnce,
			Sentence: "What has expired when it is enqueued is stored as canceled."},
		{Name: "requeue", Test: testExpiresRequeue,
			Sentence: "Requeue passes over deliveries of events that have expired."},
		{Name: "counts", Test: testExpiresCounts,
			Sentence: "When Prune has done its work, what has expired is counted no more."},
		{Name: "restart", Test: testExpiresRestart, Restarts: true,
			Sentence: "What expires while the store is closed has expired when it is open again."},
	}
}

// expires returns an event that expires in a while.
func expires(c *check.Driver, d time.Duration) events.Event {
	ev := c.Event("message.created")
	ev.ExpiresAt = time.Now().Add(d)
	return ev
}

// passes lets the time pass at which an event expires.
func passes(c *check.Driver, ev events.Event) {
	c.Pass(time.Until(ev.ExpiresAt) + 2*time.Millisecond)
}

// finishInTime records an outcome of the event's only delivery, which is the first. It is false if
// it came too late, as the machine is slow: what comes then may be the next of its key.
func finishInTime(c *check.Driver, ev events.Event, finish func(store.Claim) store.Outcome) bool {
	claims := c.Claim(1)
	if len(claims) == 1 && claims[0].EventID == ev.ID && !c.Finish(finish(claims[0]))[0].Ignored {
		return true
	}
	if !c.Late(ev.ExpiresAt.Add(-c.Short)) {
		c.Errorf("before ExpiresAt: got no claim, or an outcome that was ignored")
	}
	return false
}

// hasExpired checks that the only delivery of an event has expired.
func hasExpired(c *check.Driver, what string, ev events.Event) store.Delivery {
	d := c.Delivery("", ev.ID)
	check.Equal(c, what+": state", d.State, store.Canceled)
	check.Equal(c, what+": LastError", d.LastError, store.ReasonExpired)
	check.Equal(c, what+": Wait", d.Wait, "")
	if !d.FinishedAt.Equal(events.Millisecond(ev.ExpiresAt)) {
		c.Errorf("%s: FinishedAt: got %v, want %v", what, d.FinishedAt, ev.ExpiresAt)
	}
	return d
}

func testExpires(c *check.Driver) {
	c.Subscribe()
	ev, both := expires(c, c.Short), expires(c, c.Short)
	both.NotBefore = both.ExpiresAt.Add(-10 * time.Millisecond)
	stays := expires(c, c.Long)
	plain := c.Messages(1)[0]
	c.Enqueue(ev, stays, both, plain)
	if claims := c.Claim(100); !c.Late(ev.ExpiresAt.Add(-c.Short)) {
		c.SameIDs("claims before ExpiresAt", check.Claimed(claims), []string{ev.ID, stays.ID, plain.ID})
		c.Release(claims...)
	} else {
		c.Release(claims...)
	}
	passes(c, ev)
	for _, e := range []events.Event{ev, both} {
		hasExpired(c, "from ExpiresAt on", e)
	}
	for states, want := range map[store.State][]string{
		store.Canceled: {both.ID, ev.ID}, store.Pending: {plain.ID, stays.ID},
	} {
		got := c.Deliveries(store.DeliveryQuery{States: []store.State{states}})
		c.SameIDs("deliveries that are "+string(states), check.Listed(got), want)
		got = c.Deliveries(store.DeliveryQuery{States: []store.State{states}, AnyTenant: true})
		c.SameIDs("deliveries of any tenant that are "+string(states), check.Listed(got), want)
	}
	claimsOnly(c, "claims from ExpiresAt on", stays.ID, plain.ID)
	for _, e := range []events.Event{ev, both} {
		hasExpired(c, "after a claim", e)
	}
}

func testExpiresRetry(c *check.Driver) {
	c.Subscribe()
	ev := expires(c, c.Short)
	c.Enqueue(ev)
	if !finishInTime(c, ev, func(cl store.Claim) store.Outcome { return check.Failed(cl, c.Long) }) {
		return
	}
	d := c.Delivery("", ev.ID)
	if d.State == store.Pending && d.DueAt.After(ev.ExpiresAt) {
		c.Errorf("due at %v, want at %v at the latest", d.DueAt, ev.ExpiresAt)
	}
	passes(c, ev)
	check.Equal(c, "attempts", hasExpired(c, "that was tried", ev).Attempts, 1)
	claimsOnly(c, "claims of a retry")
	check.Equal(c, "attempts", hasExpired(c, "after a claim", ev).Attempts, 1)
}

func testExpiresHeld(c *check.Driver) {
	c.Subscribe()
	evs := []events.Event{expires(c, c.Short), expires(c, c.Short)}
	c.Enqueue(evs...)
	if !finishInTime(c, evs[0], func(cl store.Claim) store.Outcome {
		o := check.Failed(cl, 0)
		o.Probe = store.ProbePolicy{Threshold: 1, First: c.Long, Max: c.Long}
		return o
	}) {
		return
	}
	passes(c, evs[1])
	for _, ev := range evs {
		hasExpired(c, "while it was held", ev)
	}
	claimsOnly(c, "claims while it is held")
}

func testExpiresPaused(c *check.Driver) {
	sub := c.Subscribe()
	ev, late := expires(c, c.Short), expires(c, c.Short)
	c.Enqueue(ev)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Paused })
	c.Enqueue(late)
	passes(c, late)
	hasExpired(c, "while it was paused", ev)
	hasExpired(c, "that came while it was paused", late)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	claimsOnly(c, "claims after the pause")
}

func testExpiresUnsubscribed(c *check.Driver) {
	sub := c.Subscribe()
	ev, again := expires(c, c.Short), expires(c, c.Short)
	c.Enqueue(ev)
	c.Unsubscribe(sub.ID, "it was gone")
	c.Enqueue(again)
	passes(c, again)
	for _, e := range []events.Event{ev, again} {
		d := c.Delivery("", e.ID)
		check.Equal(c, "state of what was canceled", d.State, store.Canceled)
		if !c.Late(ev.ExpiresAt.Add(-2 * c.Short)) {
			check.Equal(c, "LastError of what was canceled", d.LastError, "it was gone")
		}
	}
}

func testExpiresLeased(c *check.Driver) {
	c.Subscribe()
	lost, won := expires(c, c.Short), expires(c, c.Short)
	c.Enqueue(lost, won)
	claims := c.Claim(2)
	if len(claims) < 2 {
		return // the machine was too slow
	}
	passes(c, won)
	c.Ignored(check.Failed(claims[0], 0))
	hasExpired(c, "that failed too late", lost)
	c.Counts(check.Delivered(claims[1]))
	c.State(claims[1].Lease, store.Delivered)
	claimsOnly(c, "claims after late outcomes")
}

func testExpiresKey(c *check.Driver) {
	c.Subscribe()
	ev := expires(c, c.Short)
	ev.Key = "k"
	c.Enqueue(ev)
	behind := c.Keyed("k")[0]
	if !finishInTime(c, ev, func(cl store.Claim) store.Outcome { return check.Failed(cl, c.Long) }) {
		return
	}
	passes(c, ev)
	comes(c, "behind one that has expired", behind)
	hasExpired(c, "that another waited for", ev)
}

func testExpiresAtOnce(c *check.Driver) {
	c.Subscribe()
	ev := expires(c, -c.Short)
	ev.Key = "k"
	c.Enqueue(ev)
	d := c.Delivery("", ev.ID)
	check.Equal(c, "state", d.State, store.Canceled)
	check.Equal(c, "LastError", d.LastError, store.ReasonExpired)
	c.Near("FinishedAt", d.FinishedAt, time.Now())
	check.Equal(c, "pending", c.Stats("").Pending, 0)
	c.Next("behind one that had expired", c.Keyed("k")[0])
	c.Must("Enqueue again", c.Store.Enqueue(c.Ctx(), ev))
	check.Equal(c, "deliveries of it", len(c.Deliveries(store.DeliveryQuery{EventID: ev.ID})), 1)
}

func testExpiresRequeue(c *check.Driver) {
	c.Subscribe()
	ev := expires(c, c.Short)
	c.Enqueue(ev)
	cl := c.Claim(1)
	passes(c, ev)
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: store.States()}), 0)
	hasExpired(c, "after a requeue", ev)
	for _, cl := range cl {
		c.Counts(check.Delivered(cl))
		check.Equal(c, "requeued after a late success",
			c.Requeue(store.DeliveryQuery{EventID: ev.ID}), 0)
	}
	claimsOnly(c, "claims after a requeue")
}

func testExpiresCounts(c *check.Driver) {
	sub := c.Subscribe()
	evs := c.Messages(20)
	at := time.Now().Add(c.Short)
	for i := range evs {
		evs[i].ExpiresAt = at
		evs[i].Key = []string{"", "k"}[i%2]
	}
	c.Enqueue(evs...)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Paused })
	stays := c.Publish(1)
	passes(c, evs[0])
	c.Prune(store.Retention{})
	check.Equal(c, "Stats.Pending", c.Stats(sub.ID).Pending, 1)
	check.Equal(c, "CountPending", c.CountPending("", 100), 1)
	check.Equal(c, "canceled", c.InState(store.Canceled), len(evs))
	hasExpired(c, "after Prune", evs[3])
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	claimsOnly(c, "claims of what is left", stays[0])
}

func testExpiresRestart(c *check.Driver) {
	c.Subscribe()
	ev := expires(c, c.Short)
	c.Enqueue(ev)
	plain := c.Publish(1)[0]
	passes(c, ev)
	c.Reopen()
	c.Next("after a restart", plain)
	hasExpired(c, "after a restart", ev)
}
