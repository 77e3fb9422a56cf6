package storetest

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func wantedRules() []rule {
	return []rule{
		{name: "patterns", test: testPatterns,
			rule: "Enqueue stores one delivery for every subscription that wants the event's type."},
		{name: "operational", test: testOperational,
			rule: "Events of the operational types go only to subscriptions that name them."},
		{name: "once", test: testOnce,
			rule: "A subscription gets an event once, however many of its patterns take it."},
		{name: "tenants", test: testTenants,
			rule: "Only subscriptions of the event's tenant get it."},
		{name: "unwanted", test: testUnwanted,
			rule: "An event that nobody wants is not stored."},
		{name: "grace", test: testGrace,
			rule: "A subscription gets events that happened up to SubscribeGrace before it subscribed, none that " +
				"did earlier."},
		{name: "grace-resubscribed", test: testGraceResubscribed, days: true,
			rule: "SubscribedAt counts, not CreatedAt."},
		{name: "disabled", test: testDisabled,
			rule: "A Disabled subscription gets the event as canceled, with its DisabledReason."},
		{name: "disabled-from-the-start", test: testDisabledFromTheStart,
			rule: "A subscription that was created Disabled has no SubscribedAt, and gets events of any Time as canceled."},
		{name: "unsubscribed", test: testUnsubscribedGetsNothing,
			rule: "A subscription that its owner unsubscribed gets nothing."},
		{name: "fan-out", test: testFanOut,
			rule: "However many subscriptions want an event, each gets it."},
	}
}

func testPatterns(c *check) {
	wanting := map[string]bool{ // by subscription
		c.subscribe("message.created").ID:                    true,
		c.subscribe("message.*").ID:                          true,
		c.subscribe().ID:                                     true,
		c.subscribe("channel.updated", "message.created").ID: true,
		c.subscribe("message.updated").ID:                    false,
		c.subscribe("channel.*").ID:                          false,
		c.subscribe("message").ID:                            false,
		c.subscribe("message.created.late").ID:               false,
		c.subscribe("messages.*", "mess.*").ID:               false,
	}
	c.enqueue(c.event("message.created"))
	got := perSubscription(c.claim(100))
	for id, want := range wanting {
		sub, err := c.store.Subscription(c.ctx, id)
		c.must("Subscription", err)
		if (got[id] > 0) != want {
			c.errorf("message.created for %q: got %d deliveries, want some: %t", sub.Events, got[id], want)
		}
	}
	nested := c.subscribe("a.b.*")
	c.enqueue(c.event("a.b.c.d"), c.event("a.b"), c.event("a.bb.c"))
	equal(c, "deliveries for a.b.* of a.b.c.d, a.b and a.bb.c", perSubscription(c.claim(100))[nested.ID], 1)
}

func testOperational(c *check) {
	c.subscribe()
	c.subscribe("webhook.*")
	one := c.subscribe(events.TypeDisabled)
	other := c.subscribe("message.created", events.TypeExhausted, "webhook.*")
	for eventType, want := range map[string]string{events.TypeDisabled: one.ID, events.TypeExhausted: other.ID} {
		c.enqueue(c.event(eventType))
		got := perSubscription(c.claim(10))
		if len(got) != 1 || got[want] != 1 {
			c.errorf("claims of %s: got %v, want one for %s", eventType, got, want)
		}
	}
	c.unsubscribe(one.ID, "answered 410")
	unwanted := c.event(events.TypeExhausted)
	unwanted.Tenant = "another"
	c.enqueue(c.event(events.TypeDisabled), unwanted)
	equal(c, "claims of one for somebody disabled, and one for nobody", len(c.claim(10)), 0)
	equal(c, "deliveries", len(c.everything()), 3)
	c.enqueue(c.event("webhook.other"))
	equal(c, "claims of a type that is like them", len(c.claim(10)), 3)
}

func testOnce(c *check) {
	c.subscribe("message.created", "message.*", "message.created")
	c.publish(1)
	equal(c, "claims", len(c.claim(10)), 1)
	equal(c, "deliveries", len(c.everything()), 1)
}

func testTenants(c *check) {
	ours := c.newSub()
	ours.Tenant = "ours"
	ours = c.create(ours)
	theirs := c.newSub()
	theirs.Tenant = "theirs"
	theirs = c.create(theirs)
	nobody := c.subscribe()
	for tenant, sub := range map[string]store.Subscription{"ours": ours, "theirs": theirs, "": nobody} {
		ev := c.event("message.created")
		ev.Tenant = tenant
		c.enqueue(ev)
		claims := c.claim(10)
		if len(claims) != 1 || claims[0].SubscriptionID != sub.ID {
			c.errorf("claims of an event of tenant %q: got %v, want one for %s", tenant, perSubscription(claims), sub.ID)
		}
		for _, cl := range claims {
			equal(c, "Claim.Tenant", cl.Tenant, tenant)
		}
		for _, d := range c.deliveries(store.DeliveryQuery{AnyTenant: true, EventID: ev.ID}) {
			equal(c, "Delivery.Tenant", d.Tenant, tenant)
		}
	}
}

func testUnwanted(c *check) {
	c.subscribe("channel.updated")
	ev := c.event("message.created")
	c.enqueue(ev)
	equal(c, "deliveries", len(c.everything()), 0)
	ev.Payload = json.RawMessage(`"other content"`)
	c.must("Enqueue of the ID with other content", c.store.Enqueue(c.ctx, ev))
	c.subscribe("message.created")
	c.enqueue(ev)
	equal(c, "claims once somebody wants it", len(c.claim(10)), 1)
}

// testGrace goes by SubscribedAt, so that it needs no clock but the store's.
func testGrace(c *check) {
	sub := c.subscribe()
	edge := sub.SubscribedAt.Add(-store.SubscribeGrace)
	for name, tc := range map[string]struct {
		at   time.Time
		want int
	}{
		"within the grace":              {edge.Add(time.Millisecond), 1}, // an event's time is cut to the millisecond
		"before the grace":              {edge.Add(-2 * time.Millisecond), 0},
		"long before":                   {edge.AddDate(-1, 0, 0), 0},
		"when it subscribed":            {sub.SubscribedAt, 1},
		"long after (a clock is wrong)": {sub.SubscribedAt.AddDate(1, 0, 0), 1},
	} {
		ev := c.event("message.created")
		ev.Time = tc.at
		c.enqueue(ev)
		if got := len(c.claim(10)); got != tc.want {
			c.errorf("an event from %s: got %d deliveries, want %d", name, got, tc.want)
		}
	}
}

func testGraceResubscribed(c *check) {
	sub := c.subscribe()
	c.unsubscribe(sub.ID, "")
	between := c.event("message.created")
	c.pass(2 * store.SubscribeGrace)
	c.resubscribe(sub.ID)
	c.enqueue(between)
	equal(c, "deliveries of an event from while it was unsubscribed", len(c.everything()), 0)
	c.update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	c.pass(2 * store.SubscribeGrace)
	c.update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	soon := c.event("message.created")
	soon.Time = soon.Time.Add(-2 * store.SubscribeGrace)
	c.enqueue(soon)
	equal(c, "deliveries of an event since, after an update that left it subscribed", len(c.everything()), 1)
}

func testDisabled(c *check) {
	sub := c.subscribe("message.created")
	c.unsubscribe(sub.ID, "answered 410")
	early := c.event("message.created")
	early.Time = sub.SubscribedAt.Add(-2 * store.SubscribeGrace)
	ev := c.event("message.created")
	c.enqueue(early, ev, c.event("message.updated"))
	ds := c.everything()
	c.sameIDs("deliveries", listed(ds), []string{ev.ID})
	for _, d := range ds {
		equal(c, "state", d.State, store.Canceled)
		equal(c, "LastError", d.LastError, "answered 410")
		c.near("FinishedAt", d.FinishedAt, time.Now())
	}
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Pending", c.stats("").Pending, 0)
}

func testDisabledFromTheStart(c *check) {
	sub := c.newSub()
	sub.Status, sub.DisabledReason = store.Unsubscribed, "imported"
	created, err := c.store.CreateSubscription(c.ctx, sub)
	c.must("CreateSubscription", err)
	if !created.SubscribedAt.IsZero() {
		c.errorf("SubscribedAt: got %v, want zero", created.SubscribedAt)
	}
	early := c.event("message.created")
	early.Time = early.Time.Add(-2 * store.SubscribeGrace)
	c.enqueue(early)
	for _, d := range c.everything() {
		equal(c, "state", d.State, store.Canceled)
		equal(c, "LastError", d.LastError, "imported")
	}
	equal(c, "deliveries", len(c.everything()), 1)
}

func testUnsubscribedGetsNothing(c *check) {
	sub := c.subscribe()
	c.unsubscribe(sub.ID, "")
	c.publish(2)
	equal(c, "deliveries", len(c.everything()), 0)
	c.resubscribe(sub.ID)
	equal(c, "claims after subscribing again", len(c.claim(10)), 0)
}

func testFanOut(c *check) {
	const n = 300
	for range n {
		c.subscribe()
	}
	id := c.publish(1)[0]
	claims := perSubscription(c.claim(2 * n))
	equal(c, "subscriptions with a claim", len(claims), n)
	equal(c, "deliveries", len(c.deliveries(store.DeliveryQuery{EventID: id, Limit: 70})), n)
}
