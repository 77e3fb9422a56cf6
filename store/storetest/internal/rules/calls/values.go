package calls

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func valueRules() []check.Rule {
	return []check.Rule{
		{Name: "subscription-in", Test: testSubscriptionIn,
			Sentence: "A store keeps no reference to the subscription it was given."},
		{Name: "subscription-out", Test: testSubscriptionOut,
			Sentence: "The caller may change a subscription that a store returns."},
		{Name: "change", Test: testChangeValues,
			Sentence: "A store keeps no reference to the subscription that UpdateSubscription " +
				"gives to change."},
		{Name: "event", Test: testEventValues,
			Sentence: "A store keeps no reference to the event it was given."},
		{Name: "attempt", Test: testAttemptValues,
			Sentence: "A store shares neither the attempt it was given nor the one it returns."},
	}
}

// spoil changes everything that a subscription refers to.
func spoil(sub store.Subscription) {
	sub.Events[0] = "spoilt.type"
	sub.Headers["X-One"] = "spoilt"
	sub.Headers["X-Spoilt"] = "1"
	sub.Secrets[0] = "spoilt"
}

// unspoilt checks that the store still has the subscription as it was.
func unspoilt(c *check.Driver, what string, id string, want store.Subscription) {
	stored, err := c.Store.Subscription(c.Ctx(), id)
	c.Must("Subscription", err)
	c.SameSubscription(what, stored, want)
	c.Publish(1)
	cl := c.ClaimOne()
	c.SameSubscription(what+", in a claim", *cl.Subscription, want)
	c.Counts(check.Delivered(cl))
}

func testSubscriptionIn(c *check.Driver) {
	given := check.Full(c)
	want := given.Clone()
	_, err := c.Store.CreateSubscription(c.Ctx(), given)
	c.Must("CreateSubscription", err)
	spoil(given)
	unspoilt(c, "after the given one was changed", want.ID, want)
}

func testSubscriptionOut(c *check.Driver) {
	want := check.Full(c)
	spoil(c.Create(want.Clone()))
	unspoilt(c, "after the created one was changed", want.ID, want)
	got, err := c.Store.Subscription(c.Ctx(), want.ID)
	c.Must("Subscription", err)
	spoil(got)
	unspoilt(c, "after the one of Subscription was changed", want.ID, want)
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{})
	c.Must("Subscriptions", err)
	spoil(page.Items[0])
	unspoilt(c, "after the listed one was changed", want.ID, want)
	spoil(c.Update(want.ID, func(*store.Subscription) {}))
	unspoilt(c, "after the updated one was changed", want.ID, want)
}

func testChangeValues(c *check.Driver) {
	want := check.Full(c)
	c.Create(want.Clone())
	var kept *store.Subscription
	given := check.Full(c)
	c.Update(want.ID, func(s *store.Subscription) {
		s.Events, s.Headers, s.Secrets = given.Events, given.Headers, given.Secrets
		kept = s
	})
	spoil(given)
	spoil(*kept)
	unspoilt(c, "after what change left was changed", want.ID, want)
}

func testEventValues(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	body, err := ev.Body()
	c.Must("Body", err)
	c.Enqueue(ev)
	for i := range ev.Payload {
		ev.Payload[i] = 'x'
	}
	cl := c.ClaimOne()
	check.Equal(c, "body after the payload was changed", string(cl.Body), string(body))
}

func testAttemptValues(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	o := check.Delivered(cl)
	o.Attempt.Response = []byte("answer")
	c.Counts(o)
	o.Attempt.Response[0] = 'x'
	o.Attempt.Detail.Answer[0].Value = "x"
	for range 2 {
		got := c.Attempts(cl.Lease)
		if len(got) != 1 {
			c.Fatalf("attempts: got %d, want 1", len(got))
		}
		check.Equal(c, "response", string(got[0].Response), "answer")
		c.SameDetail("detail", got[0].Detail, check.Detail(cl))
		got[0].Response[0] = 'y'
		got[0].Detail.Answer[0].Value = "y"
		got[0].Detail.DNS = time.Hour
		got[0].Status = 1
	}
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{})
	c.Must("Deliveries", err)
	page.Items[0].State = store.Dead
	c.State(cl.Lease, store.Delivered)
}
