package published

import (
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func traceRules() []check.Rule {
	return []check.Rule{
		{Name: "carried", Test: testTrace,
			Sentence: "Claim.Trace is the event's, on every attempt and for every subscription; " +
				"empty when it has none."},
		{Name: "not-content", Test: testTraceNotContent,
			Sentence: "The trace is not content: that of the first call stays."},
		{Name: "window", Test: testWindowCarried, Restarts: true,
			Sentence: "Claim has the Tags, sorted and without repeats, NotBefore and ExpiresAt of the " +
				"event, to the millisecond, on every attempt, and Deliveries has the times."},
		{Name: "window-not-content", Test: testWindowNotContent,
			Sentence: "Tags, NotBefore and ExpiresAt are not content: those of the first call stay."},
		{Name: "restart", Test: testTraceRestart, Restarts: true,
			Sentence: "The trace is there after a restart."},
	}
}

// traced returns an event with a trace.
func traced(c *check.Driver, trace string) events.Event {
	ev := c.Event("message.created")
	ev.Trace = trace
	return ev
}

func testTrace(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	one, none, another := traced(c, check.OneTrace), traced(c, ""), traced(c, check.AnotherTrace)
	c.Enqueue(one, none, another)
	for range 2 {
		c.Each(6, func(cl store.Claim) store.Outcome {
			want := map[string]string{one.ID: check.OneTrace,
				another.ID: check.AnotherTrace}[cl.EventID]
			check.Equal(c, "Trace of "+cl.EventID, cl.Trace, want)
			return check.WithBody(check.Failed(cl, 0), "its own")
		})
	}
	c.Each(6, check.Dead)
	c.Requeue(store.DeliveryQuery{EventID: one.ID})
	check.Equal(c, "Trace of one that was requeued", c.ClaimOne().Trace, check.OneTrace)
	bad := traced(c, "not a trace")
	c.Invalid("Enqueue with a bad trace", c.Store.Enqueue(c.Ctx(), bad))
}

func testTraceNotContent(c *check.Driver) {
	c.Subscribe()
	ev, plain := traced(c, check.OneTrace), traced(c, "")
	c.Enqueue(ev, plain)
	ev.Trace, plain.Trace = check.AnotherTrace, check.AnotherTrace
	c.Must("Enqueue with another trace", c.Store.Enqueue(c.Ctx(), ev, plain))
	ev.Trace = ""
	c.Must("Enqueue without a trace", c.Store.Enqueue(c.Ctx(), ev))
	fresh, again := traced(c, check.OneTrace), c.Event("message.created")
	again.ID, again.Time, again.Payload = fresh.ID, fresh.Time, fresh.Payload
	again.Trace = check.AnotherTrace
	c.Must("Enqueue with two traces", c.Store.Enqueue(c.Ctx(), fresh, again))
	want := map[string]string{ev.ID: check.OneTrace, fresh.ID: check.OneTrace}
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), 3)
	for _, cl := range claims {
		check.Equal(c, "Trace of "+cl.EventID, cl.Trace, want[cl.EventID])
	}
}

func testTraceRestart(c *check.Driver) {
	c.Subscribe()
	ev := traced(c, check.OneTrace)
	c.Enqueue(ev, traced(c, ""))
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.Reopen()
	want := map[string]string{ev.ID: check.OneTrace}
	claims := c.Claim(10)
	check.Equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		check.Equal(c, "Trace of "+cl.EventID, cl.Trace, want[cl.EventID])
	}
}

// windowed returns events with all, with some and with nothing of what few events have.
func windowed(c *check.Driver) []events.Event {
	evs := c.Messages(5)
	now := time.Now()
	evs[0].Tags = []string{"b", "a:1", "b", "A_.-9"}
	evs[1].NotBefore = now.Add(-time.Hour).Truncate(time.Second).Add(999_999)
	evs[2].ExpiresAt = now.Add(1000 * time.Hour)
	evs[3].Tags, evs[3].NotBefore, evs[3].ExpiresAt = []string{"b"}, evs[1].NotBefore,
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	return evs
}

func testWindowCarried(c *check.Driver) {
	c.Subscribe()
	evs := windowed(c)
	c.Enqueue(evs...)
	byID := make(map[string]*events.Event)
	for i := range evs {
		byID[evs[i].ID] = &evs[i]
	}
	for i := range 3 {
		if i == 2 {
			c.Reopen()
		}
		claims := c.Claim(10)
		check.Equal(c, "claims", len(claims), len(evs))
		for _, cl := range claims {
			c.SameWindow("Claim of "+cl.EventID, cl.Tags, cl.NotBefore, cl.ExpiresAt, byID[cl.EventID])
			c.Counts(check.Failed(cl, 0))
		}
		for _, d := range c.Everything() {
			ev := *byID[d.EventID]
			ev.Tags = nil // a delivery has none
			c.SameWindow("Deliveries, of "+d.EventID, nil, d.NotBefore, d.ExpiresAt, &ev)
		}
	}
	for _, bad := range []func(*events.Event){
		func(e *events.Event) { e.Tags = []string{"a b"} },
		func(e *events.Event) { e.NotBefore = time.Unix(-1, 0) },
		func(e *events.Event) { e.NotBefore = evs[0].Time; e.ExpiresAt = e.NotBefore },
	} {
		ev := c.Event("message.created")
		bad(&ev)
		c.Invalid("Enqueue of what is out of its bounds", c.Store.Enqueue(c.Ctx(), ev))
	}
}

func testWindowNotContent(c *check.Driver) {
	c.Subscribe()
	evs := windowed(c)
	c.Enqueue(evs...)
	again := slices.Clone(evs)
	for i := range again {
		again[i].Tags, again[i].NotBefore, again[i].ExpiresAt = []string{"other"}, time.Time{},
			time.Now().Add(2000*time.Hour)
	}
	c.Must("Enqueue with other tags and times", c.Store.Enqueue(c.Ctx(), again...))
	for i, cl := range c.Claim(10) {
		c.SameWindow("Claim of "+cl.EventID, cl.Tags, cl.NotBefore, cl.ExpiresAt,
			&evs[slices.IndexFunc(evs, func(e events.Event) bool { return e.ID == cl.EventID })])
		check.Equal(c, "claims beyond those of the first call", i < len(evs), true)
	}
}
