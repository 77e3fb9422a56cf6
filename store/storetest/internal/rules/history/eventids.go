package history

import (
	"encoding/json"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func eventIDRules() []check.Rule {
	return []check.Rule{
		{Name: "one-call", Test: testIDsInOneCall,
			Sentence: "Events of several tenants may have the same ID, within one call of " +
				"Enqueue: each is stored."},
		{Name: "two-calls", Test: testIDsInTwoCalls,
			Sentence: "So they may in calls one after the other, with the same content or another."},
		{Name: "conflict", Test: testIDsConflict,
			Sentence: "ErrConflict is about an ID of the same tenant, no matter who else has it."},
		{Name: "reads", Test: testIDsRead,
			Sentence: "Deliveries of an EventID are the Tenant's, and Attempts are of the event of " +
				"the subscription's tenant."},
		{Name: "any-tenant", Test: testIDsOfAnyTenant,
			Sentence: "An EventID with AnyTenant needs a SubscriptionID, or it is an " +
				"*events.InvalidError; the event is that of the subscription's tenant."},
		{Name: "finish", Test: testIDsFinished,
			Sentence: "An outcome is of the event of its subscription's tenant, with its token and late."},
		{Name: "requeue", Test: testIDsRequeued,
			Sentence: "Requeue by EventID requeues the Tenant's event alone."},
		{Name: "erase", Test: testIDsErased,
			Sentence: "Erase by EventID erases the Tenant's event alone."},
		{Name: "erased", Test: testIDsAfterErase,
			Sentence: "The ID of an erased event is taken for its own tenant alone."},
		{Name: "prune", Test: testIDsPruned,
			Sentence: "When the event of one tenant is pruned, the ID is free for that tenant " +
				"alone."},
		{Name: "free", Test: testIDsFree,
			Sentence: "The ID of an event is free as soon as its last delivery has gone with its " +
				"subscription: what is enqueued with it is stored for the subscriptions of then, " +
				"with the same content or another. What was erased does not come back."},
	}
}

// sharedID is an ID that several tenants give to an event of theirs.
const sharedID = "invoice-1001"

// twin is a tenant that has a subscription and an event of its own with sharedID.
type twin struct {
	tenant string
	sub    store.Subscription
	event  events.Event
}

func (tw *twin) lease() store.Lease {
	return store.Lease{SubscriptionID: tw.sub.ID, EventID: sharedID}
}

// query selects the event by its tenant and ID.
func (tw *twin) query(states ...store.State) store.DeliveryQuery {
	return store.DeliveryQuery{Tenant: tw.tenant, EventID: sharedID, States: states}
}

// twins returns tenants whose subscriptions are stored and whose events are not.
func twins(c *check.Driver) []twin {
	var all []twin
	for _, tenant := range []string{"", "one", "two"} {
		sub := c.NewSub()
		sub.Tenant = tenant
		ev := c.Event("message.created")
		ev.ID, ev.Tenant = sharedID, tenant
		all = append(all, twin{tenant, c.Create(sub), ev})
	}
	return all
}

// enqueuedTwins returns twins whose events are stored.
func enqueuedTwins(c *check.Driver) []twin {
	all := twins(c)
	c.Enqueue(eventsOf(all)...)
	return all
}

func eventsOf(all []twin) []events.Event {
	evs := make([]events.Event, len(all))
	for i := range all {
		evs[i] = all[i].event
	}
	return evs
}

// claimTwins claims the deliveries of the twins and returns them in their order.
func claimTwins(c *check.Driver, all []twin) []store.Claim {
	claims := make([]store.Claim, len(all))
	got := c.Claim(100)
	check.Equal(c, "claims", len(got), len(all))
	for i := range all {
		for _, cl := range got {
			if cl.SubscriptionID == all[i].sub.ID {
				claims[i] = cl
			}
		}
		checkBody(c, claims[i], all[i].event)
	}
	return claims
}

// checkBody checks that a claim is of the event.
func checkBody(c *check.Driver, cl store.Claim, ev events.Event) {
	body, err := ev.Body()
	c.Must("Body", err)
	check.Equal(c, "tenant", cl.Tenant, ev.Tenant)
	check.Equal(c, "body of the event of tenant "+ev.Tenant, string(cl.Body), string(body))
}

func testIDsInOneCall(c *check.Driver) {
	all := enqueuedTwins(c)
	claimTwins(c, all)
	c.Enqueue(eventsOf(all)...)
	check.Equal(c, "deliveries", len(c.Everything()), len(all))
}

func testIDsInTwoCalls(c *check.Driver) {
	all := twins(c)
	same := all[1].event
	same.Tenant = all[2].tenant
	all[2].event = same // the same content, but for its tenant
	for _, tw := range all {
		c.Must("Enqueue of an ID that another tenant has", c.Store.Enqueue(c.Ctx(), tw.event))
	}
	for _, tw := range all {
		c.Must("Enqueue of the same again", c.Store.Enqueue(c.Ctx(), tw.event))
	}
	check.Equal(c, "deliveries", len(c.Everything()), len(all))
	claimTwins(c, all)
}

func testIDsConflict(c *check.Driver) {
	all := enqueuedTwins(c)
	for i, tw := range all {
		other, fresh := tw.event, c.Event("message.created")
		other.Payload, fresh.Tenant = json.RawMessage(`"other content"`), tw.tenant
		c.Is("Enqueue of other content", c.Store.Enqueue(c.Ctx(), fresh, other), store.ErrConflict)
		other.Payload = all[(i+1)%len(all)].event.Payload
		c.Is("Enqueue of another tenant's content", c.Store.Enqueue(c.Ctx(), other),
			store.ErrConflict)
	}
	check.Equal(c, "deliveries", len(c.Everything()), len(all))
	claimTwins(c, all)
}

func testIDsRead(c *check.Driver) {
	all := enqueuedTwins(c)
	for i, cl := range claimTwins(c, all)[:2] {
		o := check.Delivered(cl)
		o.Attempt.Response = []byte(all[i].tenant)
		c.Counts(o)
	}
	for i, tw := range all {
		ds := c.Deliveries(tw.query())
		if len(ds) != 1 || ds[0].SubscriptionID != tw.sub.ID || ds[0].Tenant != tw.tenant {
			c.Fatalf("deliveries of the ID and tenant %q: got %+v, want its own", tw.tenant, ds)
		}
		attempts := c.Attempts(tw.lease())
		if want := i < 2; want != (len(attempts) == 1) ||
			want && string(attempts[0].Response) != tw.tenant {
			c.Errorf("attempts of the ID and tenant %q: got %+v", tw.tenant, attempts)
		}
		page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Tenant: tw.tenant, Count: true})
		c.Must("Deliveries", err)
		check.Equal(c, "Total of a tenant", page.Total, 1)
	}
	nobody := store.DeliveryQuery{Tenant: "nobody", EventID: sharedID}
	check.Equal(c, "deliveries of a tenant that has none", len(c.Deliveries(nobody)), 0)
}

func testIDsOfAnyTenant(c *check.Driver) {
	all := enqueuedTwins(c)
	q := store.DeliveryQuery{AnyTenant: true, EventID: sharedID}
	_, err := c.Store.Deliveries(c.Ctx(), q)
	c.Invalid("Deliveries", err)
	_, err = c.Store.Requeue(c.Ctx(), q)
	c.Invalid("Requeue", err)
	for _, tw := range all {
		q.SubscriptionID = tw.sub.ID
		ds := c.Deliveries(q)
		if len(ds) != 1 || ds[0].Tenant != tw.tenant {
			c.Errorf("deliveries of the ID and a subscription of tenant %q: got %+v, want its own",
				tw.tenant, ds)
		}
	}
}

func testIDsFinished(c *check.Driver) {
	all := enqueuedTwins(c)
	first := claimTwins(c, all)
	c.Counts(check.Dead(first[0]))
	c.Release(first[1:]...)
	second := c.Claim(100)
	check.Equal(c, "claims", len(second), 2)
	c.Counts(check.Delivered(first[2])) // late
	for i, want := range []store.State{store.Dead, store.Pending, store.Delivered} {
		c.State(all[i].lease(), want)
		check.Equal(c, "attempts", len(c.Attempts(all[i].lease())), (i+1)%2)
	}
}

func testIDsRequeued(c *check.Driver) {
	all := enqueuedTwins(c)
	for _, cl := range claimTwins(c, all) {
		c.Counts(check.Delivered(cl))
	}
	check.Equal(c, "requeued of one tenant", c.Requeue(all[1].query()), 1)
	for i, want := range []store.State{store.Delivered, store.Pending, store.Delivered} {
		c.State(all[i].lease(), want)
	}
	claims := c.Claim(100)
	check.Equal(c, "claims", len(claims), 1)
	checkBody(c, claims[0], all[1].event)
}

func testIDsErased(c *check.Driver) {
	all := enqueuedTwins(c)
	_, _, err := c.Store.Erase(c.Ctx(), store.EraseQuery{Tenant: "nobody", EventID: sharedID})
	c.Is("Erase for a tenant that has none", err, store.ErrNotFound)
	q := store.EraseQuery{Tenant: all[1].tenant, EventID: sharedID}
	check.Equal(c, "events erased of one tenant", c.Erase(q), 1)
	for i, want := range []store.State{store.Pending, store.Canceled, store.Pending} {
		d := c.State(all[i].lease(), want)
		check.Equal(c, "Erased", d.Erased, want == store.Canceled)
	}
	claimTwins(c, []twin{all[0], all[2]})
}

func testIDsAfterErase(c *check.Driver) {
	all := twins(c)
	c.Enqueue(all[0].event)
	c.EraseOne(sharedID)
	c.Enqueue(all[1].event)
	c.Enqueue(all[0].event, all[2].event)
	claimTwins(c, all[1:])
	other := all[1].event
	other.Payload = json.RawMessage(`"other content"`)
	c.Is("Enqueue of other content than a tenant has, where another's is erased",
		c.Store.Enqueue(c.Ctx(), other), store.ErrConflict)
}

func testIDsFree(c *check.Driver) {
	all := enqueuedTwins(c)
	erased := all[2]
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{Tenant: erased.tenant,
		EventID: sharedID}), 1)
	for i := range all {
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), all[i].sub.ID))
		sub := c.NewSub()
		sub.Tenant = all[i].tenant
		all[i].sub = c.Create(sub)
	}
	all[0].event.Payload = json.RawMessage(`"other content"`)
	for _, tw := range all { // one by one: what is free in one call may be so by another event of it
		c.Enqueue(tw.event)
	}
	claimTwins(c, all[:2])
	c.Enqueue(eventsOf(all)...)
	check.Equal(c, "deliveries", len(c.Everything()), 2)
	other := all[0].event
	other.Payload = json.RawMessage(`"third content"`)
	c.Is("Enqueue of other content, once the ID is taken again", c.Store.Enqueue(c.Ctx(), other),
		store.ErrConflict)
}

func testIDsPruned(c *check.Driver) {
	all := enqueuedTwins(c)
	claims := claimTwins(c, all)
	c.Counts(check.Delivered(claims[1]))
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short})
	check.Equal(c, "deliveries", len(c.Everything()), 2)
	changed := func(tw twin) events.Event {
		ev := tw.event
		ev.Payload = json.RawMessage(`"other content"`)
		return ev
	}
	for _, i := range []int{0, 2} {
		c.Is("Enqueue of other content, where another tenant's event was pruned",
			c.Store.Enqueue(c.Ctx(), changed(all[i])), store.ErrConflict)
	}
	again := changed(all[1])
	c.Enqueue(again)
	check.Equal(c, "deliveries", len(c.Everything()), len(all))
	if got := c.Claim(1); len(got) != 1 {
		c.Errorf("claims of the ID that is free again: got %d, want 1", len(got))
	} else {
		checkBody(c, got[0], again)
	}
}
