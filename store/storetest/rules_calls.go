package storetest

import (
	"context"
	"slices"

	"github.com/outhook/outhook/store"
)

func callRules() []rule {
	return []rule{
		{name: "closed", test: testClosed,
			rule: "After Close every method returns ErrClosed."},
		{name: "ended-context", test: testEndedContext,
			rule: "A method does not start when its context has ended already."},
	}
}

// call is one method, called so that it would succeed and change something.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// calls returns all methods that take a context. The claim must be leased, the delivery dead be Dead.
func (c *check) calls(sub store.Subscription, leased, dead store.Claim) []call {
	s := c.store
	return slices.Concat(c.subscriptionCalls(sub), []call{
		{"Enqueue", func(ctx context.Context) error { return s.Enqueue(ctx, c.messages(1)...) }},
		{"Claim", func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: c.long})
			return err
		}},
		{"Finish", func(ctx context.Context) error { _, err := s.Finish(ctx, delivered(leased)); return err }},
		{"Release", func(ctx context.Context) error { return s.Release(ctx, leased.Lease) }},
		{"Deliveries", func(ctx context.Context) error {
			_, err := s.Deliveries(ctx, store.DeliveryQuery{})
			return err
		}},
		{"Attempts", func(ctx context.Context) error {
			_, err := s.Attempts(ctx, leased.SubscriptionID, leased.EventID)
			return err
		}},
		{"Requeue", func(ctx context.Context) error {
			_, _, err := s.Requeue(ctx, store.DeliveryQuery{EventID: dead.EventID})
			return err
		}},
		{"Pause", func(ctx context.Context) error { return s.Pause(ctx, leased.SubscriptionID, c.long) }},
		{"Erase", func(ctx context.Context) error {
			_, _, err := s.Erase(ctx, store.EraseQuery{})
			return err
		}},
		{"Prune", func(ctx context.Context) error {
			_, err := s.Prune(ctx, store.Retention{Failed: c.short})
			return err
		}},
		{"Stats", func(ctx context.Context) error { _, err := s.Stats(ctx, ""); return err }},
	})
}

func (c *check) subscriptionCalls(sub store.Subscription) []call {
	s := c.store
	return []call{
		{"CreateSubscription", func(ctx context.Context) error {
			_, err := s.CreateSubscription(ctx, c.newSub())
			return err
		}},
		{"UpdateSubscription", func(ctx context.Context) error {
			_, err := s.UpdateSubscription(ctx, sub.ID, func(s *store.Subscription) error {
				s.URL, s.Status = "https://new.example/", store.Unsubscribed
				return nil
			})
			return err
		}},
		{"DeleteSubscription", func(ctx context.Context) error { return s.DeleteSubscription(ctx, sub.ID) }},
		{"Subscription", func(ctx context.Context) error { _, err := s.Subscription(ctx, sub.ID); return err }},
		{"Subscriptions", func(ctx context.Context) error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
			return err
		}},
	}
}

// prepare makes a subscription with a delivery that is dead, one that is leased and one that is due.
func (c *check) prepare() (sub store.Subscription, leased, died store.Claim) {
	sub = c.subscribe()
	c.publish(3)
	died, leased = c.claimOne(), c.claimOne()
	c.counts(dead(died))
	c.pass(c.short)
	return sub, leased, died
}

func testClosed(c *check) {
	calls := c.calls(c.prepare())
	if !closeStore(c.store) {
		return
	}
	for _, call := range calls {
		c.is(call.name, call.do(c.ctx), store.ErrClosed)
	}
}

func testEndedContext(c *check) {
	sub, leased, died := c.prepare()
	before := c.everything()
	figures := c.stats("")
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	for _, call := range c.calls(sub, leased, died) {
		c.is(call.name, call.do(ctx), context.Canceled)
	}
	stored, err := c.store.Subscription(c.ctx, sub.ID)
	c.must("Subscription", err)
	c.sameSubscription("the subscription", stored, sub)
	after := c.everything()
	if len(after) != len(before) {
		c.fatalf("deliveries: got %d, want %d", len(after), len(before))
	}
	for i := range before {
		equal(c, "state", after[i].State, before[i].State)
		equal(c, "Attempts", after[i].Attempts, before[i].Attempts)
	}
	got := c.stats("")
	equal(c, "Subscriptions", got.Subscriptions, figures.Subscriptions)
	equal(c, "InFlight", got.InFlight, figures.InFlight)
	equal(c, "responses of the dead one", len(c.attempts(died.Lease)[0].Response) > 0, true)
	equal(c, "claims: it is not paused", len(c.claim(10)), 1)
	c.counts(delivered(leased))
}
