package queue

import (
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
