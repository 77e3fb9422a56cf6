package calls

import (
	"errors"
	"fmt"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func readRules() []check.Rule {
	return []check.Rule{
		{Name: "subscription", Test: testReadsSubscription,
			Sentence: "After a change of a subscription every method returns the new state, " +
				"also if it was read before."},
		{Name: "deleted", Test: testReadsDeleted,
			Sentence: "No method returns a deleted subscription, also if it was read before, " +
				"and a new subscription with its ID inherits nothing."},
		{Name: "delivery", Test: testReadsDelivery,
			Sentence: "After a change of a delivery every method that reads it returns the new " +
				"state, also if it was read before."},
	}
}

// seesSubscription checks what every method says of a subscription.
func seesSubscription(c *check.Driver, after string, want store.Subscription) {
	readsSubscription(c, after, want)
	errSeen := errors.New("seen")
	_, err := c.Store.UpdateSubscription(c.Ctx(), want.ID, func(s *store.Subscription) error {
		c.SameSubscription("what the next change gets after "+after, *s, want)
		return errSeen
	})
	c.Is("UpdateSubscription", err, errSeen)
}

// readsSubscription checks what every method that only reads says of it.
func readsSubscription(c *check.Driver, after string, want store.Subscription) {
	got, err := c.Store.Subscription(c.Ctx(), want.ID)
	c.Must("Subscription", err)
	c.SameSubscription("Subscription after "+after, got, want)
	for _, q := range []store.SubscriptionQuery{{}, {AnyTenant: true}, {Limit: 100}} {
		page, err := c.Store.Subscriptions(c.Ctx(), q)
		c.Must("Subscriptions", err)
		check.Equal(c, "Total after "+after, page.Total, 1)
		if len(page.Items) != 1 {
			c.Fatalf("Subscriptions after %s: got %d, want 1", after, len(page.Items))
		}
		c.SameSubscription("Subscriptions after "+after, page.Items[0], want)
	}
}

func testReadsSubscription(c *check.Driver) {
	want := check.Full(c)
	want.Events = nil
	c.Create(want)
	seesSubscription(c, "it was created", want)
	changes := []struct {
		name   string
		change func(*store.Subscription)
	}{
		{"a new name", func(s *store.Subscription) { s.Name = "changed" }},
		{"a new URL", func(s *store.Subscription) { s.URL += "/changed" }},
		{"new events", func(s *store.Subscription) { s.Events = []string{"message.*"} }},
		{"new headers", func(s *store.Subscription) {
			s.Headers = map[string]string{"X-Two": "2"}
		}},
		{"new keys", func(s *store.Subscription) { s.Secrets = []signing.Secret{"one", "two"} }},
		{"being disabled", func(s *store.Subscription) {
			s.Status, s.DisabledReason = store.Unsubscribed, "gone"
		}},
		{"being subscribed", func(s *store.Subscription) {
			s.Status, s.DisabledReason = store.Subscribed, ""
		}},
	}
	for _, ch := range changes {
		c.Publish(1)
		for _, cl := range c.Claim(10) {
			c.SameSubscription("the claim before "+ch.name, *cl.Subscription, want)
			c.Release(cl)
		}
		readsSubscription(c, "what was before "+ch.name, want)
		want = want.Clone()
		ch.change(&want)
		c.SameSubscription("UpdateSubscription", c.Update(want.ID, ch.change), want)
		seesSubscription(c, ch.name, want)
		if want.Status != store.Subscribed {
			continue
		}
		c.Publish(1)
		for _, cl := range c.Claim(100) {
			c.SameSubscription("a claim after "+ch.name, *cl.Subscription, want)
			c.Release(cl)
		}
	}
}

func testReadsDeleted(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	cl := c.ClaimOne()
	c.Counts(check.Delivered(cl))
	readAll(c, sub, cl)
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	seesNothing(c, "the subscription was deleted", sub.ID, ids)
	_, err := c.Store.Subscription(c.Ctx(), sub.ID)
	c.Is("Subscription of a deleted one", err, store.ErrNotFound)
	_, err = c.Store.Stats(c.Ctx(), sub.ID)
	c.Is("Stats of a deleted one", err, store.ErrNotFound)
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	c.Must("Subscriptions", err)
	check.Equal(c, "subscriptions after the only one was deleted", len(page.Items), 0)
	check.Equal(c, "Total after the only one was deleted", page.Total, 0)

	sub.Name = "another"
	c.Create(sub)
	seesSubscription(c, "it was created anew", sub)
	seesNothing(c, "a subscription was created anew", sub.ID, ids)
	stats := c.Stats(sub.ID)
	check.Equal(c, "health of the new one", stats.Health, store.Health{})
	check.Equal(c, "Pending of the new one", stats.Pending, 0)
	check.Equal(c, "Hour of the new one", stats.Hour, store.AttemptStats{})
}

// seesNothing checks that no method returns the deliveries that a subscription had.
func seesNothing(c *check.Driver, after, subscriptionID string, eventIDs []string) {
	readsNothing(c, after, subscriptionID, eventIDs)
	check.Equal(c, "claims after "+after, len(c.Claim(10)), 0)
}

// readsNothing is seesNothing of the methods that only read.
func readsNothing(c *check.Driver, after, subscriptionID string, eventIDs []string) {
	for _, q := range []store.DeliveryQuery{{}, {SubscriptionID: subscriptionID},
		{EventID: eventIDs[0]}, {States: store.States()}} {
		q.Count = true
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		check.Equal(c, "deliveries after "+after, len(page.Items), 0)
		check.Equal(c, "Total after "+after, page.Total, 0)
	}
	for _, id := range eventIDs {
		_, err := c.Store.Attempts(c.Ctx(), subscriptionID, id)
		c.Is("Attempts after "+after, err, store.ErrNotFound)
		_, err = c.Store.Event(c.Ctx(), "", id)
		c.Is("Event after "+after, err, store.ErrNotFound)
	}
	check.Equal(c, "Pending after "+after, c.Stats("").Pending, 0)
}

// seen is what every method is to say of the only delivery there is.
type seen struct {
	state    store.State
	attempts int
	inFlight int
	erased   bool
}

func seesDelivery(c *check.Driver, after string, l store.Lease, want seen) {
	for _, q := range []store.DeliveryQuery{
		{}, {AnyTenant: true}, {SubscriptionID: l.SubscriptionID}, {EventID: l.EventID},
		{States: []store.State{want.state}},
		{SubscriptionID: l.SubscriptionID, States: []store.State{want.state}},
	} {
		q.Count = true
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		what := fmt.Sprintf("deliveries by %+v after %s", q, after)
		check.Equal(c, what+": Total", page.Total, 1)
		if len(page.Items) != 1 {
			c.Errorf("%s: got %d, want 1", what, len(page.Items))
			continue
		}
		d := page.Items[0]
		check.Equal(c, what+": State", d.State, want.state)
		check.Equal(c, what+": Attempts", d.Attempts, want.attempts)
		check.Equal(c, what+": Erased", d.Erased, want.erased)
	}
	for _, state := range store.States() {
		if state != want.state {
			got := c.Deliveries(store.DeliveryQuery{States: []store.State{state}})
			check.Equal(c, "deliveries that are "+string(state)+" after "+after, len(got), 0)
		}
	}
	attempts := c.Attempts(l)
	check.Equal(c, "Attempts after "+after, len(attempts), want.attempts)
	for _, a := range attempts {
		check.Equal(c, "a Response is kept after "+after, len(a.Response) > 0, !want.erased)
		check.Equal(c, "a Detail is kept after "+after, a.Detail != nil, !want.erased)
	}
	pending := 0
	if want.state == store.Pending {
		pending = 1
	}
	for _, id := range []string{"", l.SubscriptionID} {
		stats := c.Stats(id)
		check.Equal(c, "Pending after "+after, stats.Pending, pending)
		check.Equal(c, "InFlight after "+after, stats.InFlight, want.inFlight)
		check.Equal(c, "OldestPending is zero after "+after, stats.OldestPending.IsZero(),
			pending == 0)
	}
}

// testReadsDelivery reads everything right before each change and after it: a cache of what was
// read must not outlive the change.
func testReadsDelivery(c *check.Driver) {
	sub := c.Subscribe()
	evs := c.Messages(1)
	id := evs[0].ID
	l := store.Lease{SubscriptionID: sub.ID, EventID: id}
	readsNothing(c, "its subscription was created", sub.ID, []string{id})
	c.Enqueue(evs...)
	seesDelivery(c, "it was enqueued", l, seen{state: store.Pending})
	claim := func(attempts int) store.Claim {
		cl := c.ClaimOne()
		seesDelivery(c, "it was claimed", l,
			seen{state: store.Pending, attempts: attempts, inFlight: 1})
		return cl
	}
	claim(0)
	c.Must("Release", c.Store.Release(c.Ctx(), lastLease(c, l)))
	seesDelivery(c, "a lease was given back that is none", l,
		seen{state: store.Pending, inFlight: 1})
	c.Unsubscribe(sub.ID, "")
	seesDelivery(c, "its subscription was unsubscribed", l, seen{state: store.Canceled})
	c.Resubscribe(sub.ID)
	seesDelivery(c, "its subscription was subscribed again", l, seen{state: store.Canceled})
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{EventID: id}), 1)
	seesDelivery(c, "it was requeued", l, seen{state: store.Pending})
	c.Release(claim(0))
	seesDelivery(c, "it was released", l, seen{state: store.Pending})
	c.Counts(check.Failed(claim(0), 0))
	seesDelivery(c, "an attempt failed", l, seen{state: store.Pending, attempts: 1})
	c.Counts(check.Held(claim(1), 0, c.Long))
	seesDelivery(c, "its subscription was held", l, seen{state: store.Pending, attempts: 2})
	check.Equal(c, "NextProbeAt is zero while it is held", c.Health(sub.ID).NextProbeAt.IsZero(),
		false)
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), sub.ID))
	check.Equal(c, "NextProbeAt is zero after ProbeNow", c.Health(sub.ID).NextProbeAt.IsZero(),
		true)
	c.Counts(check.Dead(claim(2)))
	seesDelivery(c, "it was given up", l, seen{state: store.Dead, attempts: 3})
	c.Requeue(store.DeliveryQuery{EventID: id})
	seesDelivery(c, "it was requeued again", l, seen{state: store.Pending, attempts: 3})
	c.Counts(check.Delivered(claim(3)))
	seesDelivery(c, "it was delivered", l, seen{state: store.Delivered, attempts: 4})
	c.EraseOne(id)
	seesDelivery(c, "it was erased", l, seen{state: store.Delivered, attempts: 4, erased: true})
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short / 2})
	seesNothing(c, "it was pruned", sub.ID, []string{id})
}

// lastLease is a lease with a token that no claim has.
func lastLease(c *check.Driver, l store.Lease) store.Lease {
	l.Token = 1<<64 - 1
	return l
}
