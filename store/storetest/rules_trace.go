package storetest

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func traceRules() []rule {
	return []rule{
		{name: "carried", test: testTrace,
			rule: "Claim.Trace is the event's, on every attempt and for every subscription; empty when it has none."},
		{name: "not-content", test: testTraceNotContent,
			rule: "The trace is not content: that of the first call stays."},
		{name: "restart", test: testTraceRestart, restart: true,
			rule: "The trace is there after a restart."},
	}
}

// Traces as Event.Trace has them.
const (
	oneTrace     = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	anotherTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// traced returns an event with a trace.
func (c *check) traced(trace string) events.Event {
	ev := c.event("message.created")
	ev.Trace = trace
	return ev
}

func testTrace(c *check) {
	c.subscribe()
	c.subscribe()
	one, none, another := c.traced(oneTrace), c.traced(""), c.traced(anotherTrace)
	c.enqueue(one, none, another)
	for range 2 {
		c.each(6, func(cl store.Claim) store.Outcome {
			want := map[string]string{one.ID: oneTrace, another.ID: anotherTrace}[cl.EventID]
			equal(c, "Trace of "+cl.EventID, cl.Trace, want)
			return withBody(failed(cl, 0), "its own")
		})
	}
	c.each(6, dead)
	c.requeue(store.DeliveryQuery{EventID: one.ID})
	equal(c, "Trace of one that was requeued", c.claimOne().Trace, oneTrace)
	bad := c.traced("not a trace")
	c.invalid("Enqueue with a bad trace", c.store.Enqueue(c.ctx, bad))
}

func testTraceNotContent(c *check) {
	c.subscribe()
	ev, plain := c.traced(oneTrace), c.traced("")
	c.enqueue(ev, plain)
	ev.Trace, plain.Trace = anotherTrace, anotherTrace
	c.must("Enqueue with another trace", c.store.Enqueue(c.ctx, ev, plain))
	ev.Trace = ""
	c.must("Enqueue without a trace", c.store.Enqueue(c.ctx, ev))
	fresh, again := c.traced(oneTrace), c.event("message.created")
	again.ID, again.Time, again.Payload = fresh.ID, fresh.Time, fresh.Payload
	again.Trace = anotherTrace
	c.must("Enqueue with two traces", c.store.Enqueue(c.ctx, fresh, again))
	want := map[string]string{ev.ID: oneTrace, fresh.ID: oneTrace}
	claims := c.claim(10)
	equal(c, "claims", len(claims), 3)
	for _, cl := range claims {
		equal(c, "Trace of "+cl.EventID, cl.Trace, want[cl.EventID])
	}
}

func testTraceRestart(c *check) {
	c.subscribe()
	ev := c.traced(oneTrace)
	c.enqueue(ev, c.traced(""))
	c.counts(failed(c.claimOne(), 0))
	c.reopen()
	want := map[string]string{ev.ID: oneTrace}
	claims := c.claim(10)
	equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		equal(c, "Trace of "+cl.EventID, cl.Trace, want[cl.EventID])
	}
}
