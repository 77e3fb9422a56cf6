package published

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func enqueueRules() []check.Rule {
	return []check.Rule{
		{Name: "record", Test: testEnqueued,
			Sentence: "Enqueue stores a pending delivery that is due at once."},
		{Name: "nothing", Sentence: "Enqueue of no events does nothing.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				c.Enqueue()
				check.Equal(c, "deliveries", len(c.Everything()), 0)
			}},
		{Name: "all-or-nothing", Test: testAllOrNothing,
			Sentence: "An *events.InvalidError about one event of the call stores none of them."},
		{Name: "conflict-atomic", Test: testConflictAtomic,
			Sentence: "ErrConflict about one event of the call stores none of them."},
		{Name: "conflict", Test: testConflict,
			Sentence: "An event ID that the tenant has stored with other content (type, key, " +
				"time, wire body) is ErrConflict."},
		{Name: "conflict-unwanted", Test: testConflictUnwanted,
			Sentence: "An event that is stored is known by its ID also if nobody wants its type " +
				"now."},
		{Name: "idempotent", Test: testIdempotent,
			Sentence: "The same content again changes nothing, for as long as the event is " +
				"stored."},
		{Name: "same-content", Test: testSameContent,
			Sentence: "Content is the same when time is to the millisecond, and the wire body."},
		{Name: "twice-in-one-call", Test: testTwiceInOneCall,
			Sentence: "Within one call likewise: the same event twice is stored once, other " +
				"content is ErrConflict."},
		{Name: "same-event-at-once", Test: testSameEventAtOnce,
			Sentence: "Idempotent also when calls with the same event run at the same time."},
	}
}

func testEnqueued(c *check.Driver) {
	sub := c.Subscribe()
	ev := c.Event("message.created")
	ev.Time = ev.Time.Add(-store.SubscribeGrace / 2)
	c.Enqueue(ev)
	d := c.Delivery(sub.ID, ev.ID)
	check.Equal(c, "EventType", d.EventType, ev.Type)
	check.Equal(c, "State", d.State, store.Pending)
	check.Equal(c, "Attempts", d.Attempts, 0)
	check.Equal(c, "LastStatus", d.LastStatus, 0)
	check.Equal(c, "LastError", d.LastError, "")
	c.Near("CreatedAt", d.CreatedAt, time.Now())
	c.Near("DueAt", d.DueAt, time.Now())
	if !d.FinishedAt.IsZero() {
		c.Errorf("FinishedAt: got %v, want zero", d.FinishedAt)
	}
	check.Equal(c, "attempts", len(c.Attempts(store.Lease{SubscriptionID: sub.ID, EventID: ev.ID})),
		0)
}

func testAllOrNothing(c *check.Driver) {
	c.Subscribe()
	for position := range 3 {
		evs := c.Messages(3)
		evs[position].Payload = json.RawMessage(`{"not json`)
		c.Invalid("Enqueue", c.Store.Enqueue(c.Ctx(), evs...))
		if ds := c.Everything(); len(ds) > 0 {
			c.Errorf("deliveries after number %d of 3 was invalid: got %d, want 0", position+1,
				len(ds))
		}
	}
	for field, spoil := range map[string]func(*events.Event){
		"id":     func(ev *events.Event) { ev.ID = "" },
		"type":   func(ev *events.Event) { ev.Type = "two  blanks" },
		"tenant": func(ev *events.Event) { ev.Tenant = strings.Repeat("x", 1000) },
		"key":    func(ev *events.Event) { ev.Key = "\x00" },
		"time":   func(ev *events.Event) { ev.Time = time.Time{} },
	} {
		ev := c.Event("message.created")
		spoil(&ev)
		c.Invalid("Enqueue of an event with a bad "+field, c.Store.Enqueue(c.Ctx(), ev))
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
}

func testConflictAtomic(c *check.Driver) {
	c.Subscribe()
	stored := c.Event("message.created")
	c.Enqueue(stored)
	for position := range 3 {
		evs := c.Messages(3)
		evs[position] = stored
		evs[position].Payload = json.RawMessage(`"other content"`)
		c.Is("Enqueue", c.Store.Enqueue(c.Ctx(), evs...), store.ErrConflict)
		if ds := c.Everything(); len(ds) != 1 {
			c.Errorf("deliveries after a conflict of number %d of 3: got %d, want 1", position+1,
				len(ds))
		}
	}
	c.SameIDs("claims", check.Claimed(c.Claim(10)), []string{stored.ID})
}

func testConflict(c *check.Driver) {
	sub := c.Subscribe()
	stored := c.Event("message.created")
	stored.Key = "k"
	c.Enqueue(stored)
	for what, change := range map[string]func(*events.Event){
		"type":    func(ev *events.Event) { ev.Type = "message.updated" },
		"key":     func(ev *events.Event) { ev.Key = "" },
		"time":    func(ev *events.Event) { ev.Time = ev.Time.Add(time.Millisecond) },
		"payload": func(ev *events.Event) { ev.Payload = json.RawMessage(`{}`) },
	} {
		ev := stored
		if change(&ev); c.Shards && ev.Tenant != stored.Tenant {
			continue // the other tenant may be in another store, which does not know the ID
		}
		c.Is("Enqueue with another "+what, c.Store.Enqueue(c.Ctx(), ev), store.ErrConflict)
	}
	check.Equal(c, "deliveries", len(c.Everything()), 1)
	cl := c.ClaimOne()
	body, err := stored.Body()
	c.Must("Body", err)
	check.Equal(c, "body", string(cl.Body), string(body))
	c.Counts(check.Delivered(cl))
	stored.Payload = json.RawMessage(`{}`)
	c.Is("Enqueue after it was delivered", c.Store.Enqueue(c.Ctx(), stored), store.ErrConflict)
	c.State(store.Lease{SubscriptionID: sub.ID, EventID: stored.ID}, store.Delivered)
}

func testConflictUnwanted(c *check.Driver) {
	sub := c.Subscribe("message.created")
	ev := c.Event("message.created")
	c.Enqueue(ev)
	c.Update(sub.ID, func(s *store.Subscription) { s.Events = []string{"channel.updated"} })
	c.Enqueue(ev)
	check.Equal(c, "unwanted events", len(c.Stats("").Unwanted), 0)
	ev.Payload = json.RawMessage(`{}`)
	c.Is("Enqueue with other content", c.Store.Enqueue(c.Ctx(), ev), store.ErrConflict)
}

func testIdempotent(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	c.Enqueue(ev)
	c.Enqueue(ev)
	check.Equal(c, "deliveries after twice", len(c.Everything()), 1)
	cl := c.ClaimOne()
	c.Enqueue(ev)
	check.Equal(c, "claims while it is leased", len(c.Claim(10)), 0)
	c.Counts(check.Failed(cl, c.Long))
	c.Enqueue(ev)
	check.Equal(c, "claims while it waits for a retry", len(c.Claim(10)), 0)
	check.Equal(c, "attempts while it waits for a retry", c.State(cl.Lease, store.Pending).Attempts,
		1)
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: []store.State{store.Pending}}),
		1)
	c.Counts(check.Delivered(c.ClaimOne()))
	late := c.Subscribe()
	c.Enqueue(ev, c.Event("message.created"))
	c.State(cl.Lease, store.Delivered)
	check.Equal(c, "claims of a subscription made later",
		check.PerSubscription(c.Claim(10))[late.ID], 1)
}

func testSameContent(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	ev.Time = ev.Time.Truncate(time.Millisecond)
	ev.Payload = json.RawMessage(`{"a": [1, 2]}`)
	c.Enqueue(ev)
	ev.Time = ev.Time.Add(900 * time.Microsecond).In(time.FixedZone("elsewhere", 3600))
	ev.Payload = json.RawMessage(` {"a":[1,2]} `)
	c.Must("Enqueue with another spelling of the same", c.Store.Enqueue(c.Ctx(), ev))
	check.Equal(c, "deliveries", len(c.Everything()), 1)
}

func testTwiceInOneCall(c *check.Driver) {
	c.Subscribe()
	ev, between := c.Event("message.created"), c.Event("message.created")
	c.Enqueue(ev, between, ev)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), []string{ev.ID, between.ID})
	first := c.Event("message.created")
	second := first
	second.Payload = json.RawMessage(`"other content"`)
	c.Is("Enqueue of an ID with two contents", c.Store.Enqueue(c.Ctx(), first, second),
		store.ErrConflict)
	check.Equal(c, "deliveries", len(c.Everything()), 2)
}

func testSameEventAtOnce(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := c.Store.Enqueue(c.Ctx(), ev); err != nil {
				c.Errorf("Enqueue: got error %v", err)
			}
		})
	}
	wg.Wait()
	check.Equal(c, "claims", len(c.Claim(10)), 1)
	check.Equal(c, "deliveries", len(c.Everything()), 1)
}
