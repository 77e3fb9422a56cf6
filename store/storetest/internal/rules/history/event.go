package history

import (
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func eventRules() []check.Rule {
	return []check.Rule{
		{Name: "content", Test: testEvent,
			Sentence: "Event returns the event as it was enqueued, in every state of its deliveries."},
		{Name: "values", Test: testEventValues,
			Sentence: "The Body that Event returns belongs to the caller."},
		{Name: "erased", Test: testEventErased,
			Sentence: "Of an erased event, Event returns all but its Body and its Trace, the tags too."},
		{Name: "tenant", Test: testEventTenant,
			Sentence: "Event returns the event of the tenant that is given, and no other's."},
		{Name: "not-found", Test: testEventNotFound,
			Sentence: "Event returns ErrNotFound for an ID that the tenant has not, and for an " +
				"event that nobody wanted."},
		{Name: "pruned", Test: testEventPruned,
			Sentence: "When its last delivery is pruned, Event returns ErrNotFound; published " +
				"again, it is the new one."},
		{Name: "deleted", Test: testEventDeleted,
			Sentence: "When the last subscription that had a delivery is deleted, Event returns " +
				"ErrNotFound."},
		{Name: "restart", Test: testEventRestart, Restarts: true,
			Sentence: "Event returns the same after a restart."},
	}
}

// fullEvent returns an event that has everything.
func fullEvent(c *check.Driver) events.Event {
	ev := c.Event("message.created")
	ev.Key, ev.Trace = "order 7", check.OneTrace
	ev.Time = ev.Time.Add(-time.Second) // so that it is not when it was enqueued
	ev.Tags = []string{"vip", "order:7", "vip"}
	ev.NotBefore = ev.Time.Add(-time.Hour) // over
	ev.ExpiresAt = time.Now().Add(1000 * time.Hour)
	return ev
}

// sameEvent checks that the store has the event as it was enqueued.
func sameEvent(c *check.Driver, what string, ev events.Event) {
	got, err := c.Store.Event(c.Ctx(), ev.Tenant, ev.ID)
	c.Must("Event "+what, err)
	body, err := ev.Body()
	c.Must("Body", err)
	d := c.Deliveries(store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID})[0]
	want := store.StoredEvent{
		ID: ev.ID, Type: ev.Type, Tenant: ev.Tenant, Key: ev.Key, Body: body, Trace: ev.Trace,
		Time: time.UnixMilli(ev.Time.UnixMilli()), EnqueuedAt: d.CreatedAt,
	}
	if d.Erased {
		want.Body, want.Trace = nil, ""
	}
	check.Equal(c, "Erased "+what, got.Erased(), d.Erased)
	if !got.Time.Equal(want.Time) || !got.EnqueuedAt.Equal(want.EnqueuedAt) ||
		string(got.Body) != string(want.Body) ||
		[5]string{got.ID, got.Type, got.Tenant, got.Key, got.Trace} !=
			[5]string{want.ID, want.Type, want.Tenant, want.Key, want.Trace} {
		c.Errorf("Event %s: got %+v, want %+v", what, got, want)
	}
	c.SameWindow("Event "+what, got.Tags, got.NotBefore, got.ExpiresAt, &ev)
}

func testEvent(c *check.Driver) {
	c.Subscribe()
	ev := fullEvent(c)
	c.Enqueue(ev)
	sameEvent(c, "that is due", ev)
	cl := c.ClaimOne()
	sameEvent(c, "that is leased", ev)
	c.Counts(check.Failed(cl, 0))
	sameEvent(c, "that is tried again", ev)
	c.Counts(check.WithBody(check.Failed(c.ClaimOne(), 0), "its own"))
	sameEvent(c, "whose delivery has a body of its own", ev)
	c.Counts(check.Delivered(c.ClaimOne()))
	sameEvent(c, "that was delivered", ev)
}

func testEventValues(c *check.Driver) {
	c.Subscribe()
	ev := fullEvent(c)
	c.Enqueue(ev)
	got, err := c.Store.Event(c.Ctx(), ev.Tenant, ev.ID)
	c.Must("Event", err)
	clear(got.Body)
	sameEvent(c, "after another Body was changed", ev)
}

func testEventErased(c *check.Driver) {
	c.Subscribe()
	gone, stays := fullEvent(c), fullEvent(c)
	c.Enqueue(gone, stays)
	c.EraseOne(gone.ID)
	sameEvent(c, "that was erased", gone)
	sameEvent(c, "that was not erased", stays)
}

func testEventTenant(c *check.Driver) {
	all := enqueuedTwins(c)
	for _, tw := range all {
		sameEvent(c, "of tenant "+tw.tenant, tw.event)
	}
	_, err := c.Store.Event(c.Ctx(), "three", sharedID)
	c.Is("Event of a tenant without one", err, store.ErrNotFound)
}

func testEventNotFound(c *check.Driver) {
	c.Subscribe("channel.updated")
	c.Publish(1)
	unwanted := c.Messages(1)[0]
	c.Enqueue(unwanted)
	for _, id := range []string{"none", "", unwanted.ID, unwanted.ID + "\x00"} {
		_, err := c.Store.Event(c.Ctx(), "", id)
		c.Is("Event of the ID "+id, err, store.ErrNotFound)
	}
}

func testEventPruned(c *check.Driver) {
	c.Subscribe()
	ev := fullEvent(c)
	c.Enqueue(ev)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short})
	_, err := c.Store.Event(c.Ctx(), "", ev.ID)
	c.Is("Event of a pruned one", err, store.ErrNotFound)
	again := fullEvent(c)
	again.ID, again.Key = ev.ID, "another"
	c.Enqueue(again)
	sameEvent(c, "that was published again", again)
}

func testEventDeleted(c *check.Driver) {
	one, two := c.Subscribe(), c.Subscribe()
	ev := fullEvent(c)
	c.Enqueue(ev)
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), one.ID))
	sameEvent(c, "that another subscription has", ev)
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), two.ID))
	_, err := c.Store.Event(c.Ctx(), "", ev.ID)
	c.Is("Event without a delivery", err, store.ErrNotFound)
}

func testEventRestart(c *check.Driver) {
	c.Subscribe()
	gone, stays := fullEvent(c), fullEvent(c)
	c.Enqueue(gone, stays)
	c.EraseOne(gone.ID)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Reopen()
	sameEvent(c, "that was erased before the restart", gone)
	sameEvent(c, "that was delivered before the restart", stays)
}
