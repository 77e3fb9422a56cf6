package storetest

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func enqueueRules() []rule {
	return []rule{
		{name: "record", test: testEnqueued,
			rule: "Enqueue stores a pending delivery that is due at once."},
		{name: "nothing", rule: "Enqueue of no events does nothing.",
			test: func(c *check) { c.subscribe(); c.enqueue(); equal(c, "deliveries", len(c.everything()), 0) }},
		{name: "all-or-nothing", test: testAllOrNothing,
			rule: "An *events.InvalidError stores nothing, whichever event of the call it is about."},
		{name: "conflict-atomic", test: testConflictAtomic,
			rule: "ErrConflict stores nothing, whichever event of the call it is about."},
		{name: "conflict", test: testConflict,
			rule: "An event ID stored with other content (type, tenant, key, time, wire body) is ErrConflict."},
		{name: "idempotent", test: testIdempotent,
			rule: "The same content again changes nothing, for as long as the event is stored."},
		{name: "same-content", test: testSameContent,
			rule: "Content is the same when time is to the millisecond, and the wire body."},
		{name: "twice-in-one-call", test: testTwiceInOneCall,
			rule: "Within one call likewise: the same event twice is stored once, other content is ErrConflict."},
		{name: "same-event-at-once", test: testSameEventAtOnce,
			rule: "Idempotent also when calls with the same event run at the same time."},
	}
}

func testEnqueued(c *check) {
	sub := c.subscribe()
	ev := c.event("message.created")
	ev.Time = ev.Time.Add(-store.SubscribeGrace / 2)
	c.enqueue(ev)
	d := c.delivery(sub.ID, ev.ID)
	equal(c, "EventType", d.EventType, ev.Type)
	equal(c, "State", d.State, store.Pending)
	equal(c, "Attempts", d.Attempts, 0)
	equal(c, "LastStatus", d.LastStatus, 0)
	equal(c, "LastError", d.LastError, "")
	c.near("CreatedAt", d.CreatedAt, time.Now())
	c.near("DueAt", d.DueAt, time.Now())
	if !d.FinishedAt.IsZero() {
		c.errorf("FinishedAt: got %v, want zero", d.FinishedAt)
	}
	equal(c, "attempts", len(c.attempts(store.Lease{SubscriptionID: sub.ID, EventID: ev.ID})), 0)
}

func testAllOrNothing(c *check) {
	c.subscribe()
	for position := range 3 {
		evs := c.messages(3)
		evs[position].Payload = json.RawMessage(`{"not json`)
		c.invalid("Enqueue", c.store.Enqueue(c.ctx, evs...))
		if ds := c.everything(); len(ds) > 0 {
			c.errorf("deliveries after number %d of 3 was invalid: got %d, want 0", position+1, len(ds))
		}
	}
	for field, spoil := range map[string]func(*events.Event){
		"id":     func(ev *events.Event) { ev.ID = "" },
		"type":   func(ev *events.Event) { ev.Type = "no spaces" },
		"tenant": func(ev *events.Event) { ev.Tenant = strings.Repeat("x", 1000) },
		"key":    func(ev *events.Event) { ev.Key = "\x00" },
		"time":   func(ev *events.Event) { ev.Time = time.Time{} },
	} {
		ev := c.event("message.created")
		spoil(&ev)
		c.invalid("Enqueue of an event with a bad "+field, c.store.Enqueue(c.ctx, ev))
	}
	equal(c, "claims", len(c.claim(10)), 0)
}

func testConflictAtomic(c *check) {
	c.subscribe()
	stored := c.event("message.created")
	c.enqueue(stored)
	for position := range 3 {
		evs := c.messages(3)
		evs[position] = stored
		evs[position].Payload = json.RawMessage(`"other content"`)
		c.is("Enqueue", c.store.Enqueue(c.ctx, evs...), store.ErrConflict)
		if ds := c.everything(); len(ds) != 1 {
			c.errorf("deliveries after a conflict of number %d of 3: got %d, want 1", position+1, len(ds))
		}
	}
	c.sameIDs("claims", claimed(c.claim(10)), []string{stored.ID})
}

func testConflict(c *check) {
	sub := c.subscribe()
	stored := c.event("message.created")
	stored.Key = "k"
	c.enqueue(stored)
	for what, change := range map[string]func(*events.Event){
		"type":    func(ev *events.Event) { ev.Type = "message.updated" },
		"tenant":  func(ev *events.Event) { ev.Tenant = "another" },
		"key":     func(ev *events.Event) { ev.Key = "" },
		"time":    func(ev *events.Event) { ev.Time = ev.Time.Add(time.Millisecond) },
		"payload": func(ev *events.Event) { ev.Payload = json.RawMessage(`{}`) },
	} {
		ev := stored
		change(&ev)
		c.is("Enqueue with another "+what, c.store.Enqueue(c.ctx, ev), store.ErrConflict)
	}
	equal(c, "deliveries", len(c.everything()), 1)
	cl := c.claimOne()
	body, err := stored.Body()
	c.must("Body", err)
	equal(c, "body", string(cl.Body), string(body))
	c.counts(delivered(cl))
	stored.Payload = json.RawMessage(`{}`)
	c.is("Enqueue after it was delivered", c.store.Enqueue(c.ctx, stored), store.ErrConflict)
	c.state(store.Lease{SubscriptionID: sub.ID, EventID: stored.ID}, store.Delivered)
}

func testIdempotent(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	c.enqueue(ev)
	c.enqueue(ev)
	equal(c, "deliveries after twice", len(c.everything()), 1)
	cl := c.claimOne()
	c.enqueue(ev)
	equal(c, "claims while it is leased", len(c.claim(10)), 0)
	c.counts(failed(cl, c.long))
	c.enqueue(ev)
	equal(c, "claims while it waits for a retry", len(c.claim(10)), 0)
	equal(c, "attempts while it waits for a retry", c.state(cl.Lease, store.Pending).Attempts, 1)
	equal(c, "requeued", c.requeue(store.DeliveryQuery{States: []store.State{store.Pending}}), 1)
	c.counts(delivered(c.claimOne()))
	late := c.subscribe()
	c.enqueue(ev, c.event("message.created"))
	c.state(cl.Lease, store.Delivered)
	equal(c, "claims of a subscription made later", perSubscription(c.claim(10))[late.ID], 1)
}

func testSameContent(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	ev.Time = ev.Time.Truncate(time.Millisecond)
	ev.Payload = json.RawMessage(`{"a": [1, 2]}`)
	c.enqueue(ev)
	ev.Time = ev.Time.Add(900 * time.Microsecond).In(time.FixedZone("elsewhere", 3600))
	ev.Payload = json.RawMessage(` {"a":[1,2]} `)
	c.must("Enqueue with another spelling of the same", c.store.Enqueue(c.ctx, ev))
	equal(c, "deliveries", len(c.everything()), 1)
}

func testTwiceInOneCall(c *check) {
	c.subscribe()
	ev, between := c.event("message.created"), c.event("message.created")
	c.enqueue(ev, between, ev)
	c.sameIDs("claims", claimed(c.claim(10)), []string{ev.ID, between.ID})
	first := c.event("message.created")
	second := first
	second.Payload = json.RawMessage(`"other content"`)
	c.is("Enqueue of an ID with two contents", c.store.Enqueue(c.ctx, first, second), store.ErrConflict)
	equal(c, "deliveries", len(c.everything()), 2)
}

func testSameEventAtOnce(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := c.store.Enqueue(c.ctx, ev); err != nil {
				c.errorf("Enqueue: got error %v", err)
			}
		})
	}
	wg.Wait()
	equal(c, "claims", len(c.claim(10)), 1)
	equal(c, "deliveries", len(c.everything()), 1)
}
