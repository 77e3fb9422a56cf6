package subscriptions

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func wantedRules() []check.Rule {
	return []check.Rule{
		{Name: "patterns", Test: testPatterns,
			Sentence: "Enqueue stores one delivery for every subscription that wants the " +
				"event's type."},
		{Name: "operational", Test: testOperational,
			Sentence: "Events of the operational types go only to subscriptions that name them."},
		{Name: "once", Test: testOnce,
			Sentence: "A subscription gets an event once, also if several of its patterns match."},
		{Name: "tenants", Test: testTenants,
			Sentence: "Only subscriptions of the event's tenant get an event."},
		{Name: "unwanted", Test: testUnwanted,
			Sentence: "An event that no subscription wants is not stored."},
		{Name: "grace", Test: testGrace,
			Sentence: "A subscription gets events that happened up to SubscribeGrace before it " +
				"subscribed, none that did earlier."},
		{Name: "grace-resubscribed", Test: testGraceResubscribed, Days: true,
			Sentence: "SubscribedAt counts, not CreatedAt."},
		{Name: "disabled", Test: testDisabled,
			Sentence: "A Disabled subscription gets the event as canceled, with its " +
				"DisabledReason."},
		{Name: "disabled-from-the-start", Test: testDisabledFromTheStart,
			Sentence: "A subscription that was created Disabled has no SubscribedAt, and gets " +
				"events of any Time as canceled."},
		{Name: "unsubscribed", Test: testUnsubscribedGetsNothing,
			Sentence: "A subscription that its owner unsubscribed gets nothing."},
		{Name: "fan-out", Test: testFanOut,
			Sentence: "However many subscriptions want an event, each gets it."},
	}
}

func testPatterns(c *check.Driver) {
	wanting := map[string]bool{ // by subscription
		c.Subscribe("message.created").ID:                    true,
		c.Subscribe("message.*").ID:                          true,
		c.Subscribe().ID:                                     true,
		c.Subscribe("channel.updated", "message.created").ID: true,
		c.Subscribe("message.updated").ID:                    false,
		c.Subscribe("channel.*").ID:                          false,
		c.Subscribe("message").ID:                            false,
		c.Subscribe("message.created.late").ID:               false,
		c.Subscribe("messages.*", "mess.*").ID:               false,
	}
	c.Enqueue(c.Event("message.created"))
	got := check.PerSubscription(c.Claim(100))
	for id, want := range wanting {
		sub, err := c.Store.Subscription(c.Ctx(), id)
		c.Must("Subscription", err)
		if (got[id] > 0) != want {
			c.Errorf("message.created for %q: got %d deliveries, want some: %t", sub.Events,
				got[id], want)
		}
	}
	nested := c.Subscribe("a.b.*")
	c.Enqueue(c.Event("a.b.c.d"), c.Event("a.b"), c.Event("a.bb.c"))
	check.Equal(c, "deliveries for a.b.* of a.b.c.d, a.b and a.bb.c",
		check.PerSubscription(c.Claim(100))[nested.ID], 1)
}

func testOperational(c *check.Driver) {
	c.Subscribe()
	c.Subscribe("webhook.*")
	one := c.Subscribe(events.TypeDisabled)
	other := c.Subscribe("message.created", events.TypeExhausted, "webhook.*")
	for eventType, want := range map[string]string{events.TypeDisabled: one.ID,
		events.TypeExhausted: other.ID} {
		c.Enqueue(c.Event(eventType))
		got := check.PerSubscription(c.Claim(10))
		if len(got) != 1 || got[want] != 1 {
			c.Errorf("claims of %s: got %v, want one for %s", eventType, got, want)
		}
	}
	c.Unsubscribe(one.ID, "answered 410")
	unwanted := c.Event(events.TypeExhausted)
	unwanted.Tenant = "another"
	c.Enqueue(c.Event(events.TypeDisabled), unwanted)
	check.Equal(c, "claims of one for somebody disabled, and one for nobody", len(c.Claim(10)), 0)
	check.Equal(c, "deliveries", len(c.Everything()), 3)
	c.Enqueue(c.Event("webhook.other"))
	check.Equal(c, "claims of a type that is like them", len(c.Claim(10)), 3)
}

func testOnce(c *check.Driver) {
	c.Subscribe("message.created", "message.*", "message.created")
	c.Publish(1)
	check.Equal(c, "claims", len(c.Claim(10)), 1)
	check.Equal(c, "deliveries", len(c.Everything()), 1)
}

func testTenants(c *check.Driver) {
	ours := c.NewSub()
	ours.Tenant = "ours"
	ours = c.Create(ours)
	theirs := c.NewSub()
	theirs.Tenant = "theirs"
	theirs = c.Create(theirs)
	nobody := c.Subscribe()
	for tenant, sub := range map[string]store.Subscription{"ours": ours, "theirs": theirs,
		"": nobody} {
		ev := c.Event("message.created")
		ev.Tenant = tenant
		c.Enqueue(ev)
		claims := c.Claim(10)
		if len(claims) != 1 || claims[0].SubscriptionID != sub.ID {
			c.Errorf("claims of an event of tenant %q: got %v, want one for %s", tenant,
				check.PerSubscription(claims), sub.ID)
		}
		for _, cl := range claims {
			check.Equal(c, "Claim.Tenant", cl.Tenant, tenant)
		}
		for _, d := range c.Deliveries(store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID}) {
			check.Equal(c, "Delivery.Tenant", d.Tenant, tenant)
		}
	}
}

func testUnwanted(c *check.Driver) {
	c.Subscribe("channel.updated")
	ev := c.Event("message.created")
	c.Enqueue(ev)
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	ev.Payload = json.RawMessage(`"other content"`)
	c.Must("Enqueue of the ID with other content", c.Store.Enqueue(c.Ctx(), ev))
	c.Subscribe("message.created")
	c.Enqueue(ev)
	check.Equal(c, "claims once somebody wants it", len(c.Claim(10)), 1)
}

// testGrace goes by SubscribedAt, so that it needs no clock but the store's.
func testGrace(c *check.Driver) {
	sub := c.Subscribe()
	edge := sub.SubscribedAt.Add(-store.SubscribeGrace)
	for name, tc := range map[string]struct {
		at   time.Time
		want int
	}{
		// an event's time is cut to the millisecond
		"within the grace":              {edge.Add(time.Millisecond), 1},
		"before the grace":              {edge.Add(-2 * time.Millisecond), 0},
		"long before":                   {edge.AddDate(-1, 0, 0), 0},
		"when it subscribed":            {sub.SubscribedAt, 1},
		"long after (a clock is wrong)": {sub.SubscribedAt.AddDate(1, 0, 0), 1},
	} {
		ev := c.Event("message.created")
		ev.Time = tc.at
		c.Enqueue(ev)
		if got := len(c.Claim(10)); got != tc.want {
			c.Errorf("an event from %s: got %d deliveries, want %d", name, got, tc.want)
		}
	}
}

func testGraceResubscribed(c *check.Driver) {
	sub := c.Subscribe()
	c.Unsubscribe(sub.ID, "")
	between := c.Event("message.created")
	c.Pass(2 * store.SubscribeGrace)
	c.Resubscribe(sub.ID)
	c.Enqueue(between)
	check.Equal(c, "deliveries of an event from while it was unsubscribed", len(c.Everything()), 0)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	c.Pass(2 * store.SubscribeGrace)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Subscribed })
	soon := c.Event("message.created")
	soon.Time = soon.Time.Add(-2 * store.SubscribeGrace)
	c.Enqueue(soon)
	check.Equal(c, "deliveries of an event since, after an update that left it subscribed",
		len(c.Everything()), 1)
}

func testDisabled(c *check.Driver) {
	sub := c.Subscribe("message.created")
	c.Unsubscribe(sub.ID, "answered 410")
	early := c.Event("message.created")
	early.Time = sub.SubscribedAt.Add(-2 * store.SubscribeGrace)
	ev := c.Event("message.created")
	c.Enqueue(early, ev, c.Event("message.updated"))
	ds := c.Everything()
	c.SameIDs("deliveries", check.Listed(ds), []string{ev.ID})
	for _, d := range ds {
		check.Equal(c, "state", d.State, store.Canceled)
		check.Equal(c, "LastError", d.LastError, "answered 410")
		c.Near("FinishedAt", d.FinishedAt, time.Now())
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
}

func testDisabledFromTheStart(c *check.Driver) {
	sub := c.NewSub()
	sub.Status, sub.DisabledReason = store.Unsubscribed, "imported"
	created, err := c.Store.CreateSubscription(c.Ctx(), sub)
	c.Must("CreateSubscription", err)
	if !created.SubscribedAt.IsZero() {
		c.Errorf("SubscribedAt: got %v, want zero", created.SubscribedAt)
	}
	early := c.Event("message.created")
	early.Time = early.Time.Add(-2 * store.SubscribeGrace)
	c.Enqueue(early)
	for _, d := range c.Everything() {
		check.Equal(c, "state", d.State, store.Canceled)
		check.Equal(c, "LastError", d.LastError, "imported")
	}
	check.Equal(c, "deliveries", len(c.Everything()), 1)
}

func testUnsubscribedGetsNothing(c *check.Driver) {
	sub := c.Subscribe()
	c.Unsubscribe(sub.ID, "")
	c.Publish(2)
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	c.Resubscribe(sub.ID)
	check.Equal(c, "claims after subscribing again", len(c.Claim(10)), 0)
}

func testFanOut(c *check.Driver) {
	const n = 300
	for range n {
		c.Subscribe()
	}
	id := c.Publish(1)[0]
	claims := check.PerSubscription(c.Claim(2 * n))
	check.Equal(c, "subscriptions with a claim", len(claims), n)
	check.Equal(c, "deliveries", len(c.Deliveries(store.DeliveryQuery{EventID: id, Limit: 70})), n)
}
