package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func callRules() []rule {
	return []rule{
		{name: "closed", test: testClosed,
			rule: "After Close every method returns ErrClosed, whatever was read before and with whatever arguments."},
		{name: "ended-context", test: testEndedContext,
			rule: "A method does not start when its context has ended already, and returns the context's error."},
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
	return slices.Concat(c.readCalls(sub, leased), c.emptyCalls(sub), c.subscriptionCalls(sub), []call{
		{"Enqueue", func(ctx context.Context) error { return s.Enqueue(ctx, c.messages(1)...) }},
		{"Claim", func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: c.long})
			return err
		}},
		{"Finish", func(ctx context.Context) error { _, err := s.Finish(ctx, delivered(leased)); return err }},
		{"Release", func(ctx context.Context) error { return s.Release(ctx, leased.Lease) }},
		{"Requeue", func(ctx context.Context) error {
			_, err := s.Requeue(ctx, store.DeliveryQuery{EventID: dead.EventID})
			return err
		}},
		{"ProbeNow", func(ctx context.Context) error { return s.ProbeNow(ctx, leased.SubscriptionID) }},
		{"Claim that pauses", func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{
				Max: 1, Lease: c.long, Pauses: []store.Pause{{SubscriptionID: leased.SubscriptionID, For: c.long}},
			})
			return err
		}},
		{"Erase", func(ctx context.Context) error {
			_, _, err := s.Erase(ctx, store.EraseQuery{})
			return err
		}},
		{"Prune", func(ctx context.Context) error {
			_, err := s.Prune(ctx, store.Retention{Failed: c.short})
			return err
		}},
	})
}

// readCalls returns all methods that read.
func (c *check) readCalls(sub store.Subscription, leased store.Claim) []call {
	s := c.store
	deliveries := func(q store.DeliveryQuery) func(ctx context.Context) error {
		return func(ctx context.Context) error { _, err := s.Deliveries(ctx, q); return err }
	}
	return []call{
		{"Subscription", func(ctx context.Context) error { _, err := s.Subscription(ctx, sub.ID); return err }},
		{"Subscriptions", func(ctx context.Context) error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
			return err
		}},
		{"Deliveries", deliveries(store.DeliveryQuery{})},
		{"Deliveries that are counted", deliveries(store.DeliveryQuery{AnyTenant: true, Count: true})},
		{"Deliveries of a subscription", deliveries(store.DeliveryQuery{SubscriptionID: sub.ID})},
		{"Deliveries of an event", deliveries(store.DeliveryQuery{EventID: leased.EventID})},
		{"Attempts", func(ctx context.Context) error {
			_, err := s.Attempts(ctx, leased.SubscriptionID, leased.EventID)
			return err
		}},
		{"Stats", func(ctx context.Context) error { _, err := s.Stats(ctx, ""); return err }},
		{"Stats of a subscription", func(ctx context.Context) error { _, err := s.Stats(ctx, sub.ID); return err }},
	}
}

// emptyCalls returns methods called so that there is nothing to do.
func (c *check) emptyCalls(sub store.Subscription) []call {
	s := c.store
	return []call{
		{"Enqueue of nothing", func(ctx context.Context) error { return s.Enqueue(ctx) }},
		{"Claim of none", func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: c.long})
			return err
		}},
		{"Finish of nothing", func(ctx context.Context) error { _, err := s.Finish(ctx); return err }},
		{"Release of nothing", func(ctx context.Context) error { return s.Release(ctx) }},
		{"Claim of none that ends a pause", func(ctx context.Context) error {
			pauses := []store.Pause{{SubscriptionID: sub.ID}}
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: c.long, Pauses: pauses})
			return err
		}},
		{"Requeue of nothing", func(ctx context.Context) error {
			_, err := s.Requeue(ctx, store.DeliveryQuery{EventID: "none"})
			return err
		}},
		{"ProbeNow of nothing", func(ctx context.Context) error { return s.ProbeNow(ctx) }},
		{"ProbeNow of one that is not there", func(ctx context.Context) error { return s.ProbeNow(ctx, "none") }},
		{"Prune that keeps all", func(ctx context.Context) error { _, err := s.Prune(ctx, store.Retention{}); return err }},
	}
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

// readAll calls all methods that read, so that what a store keeps of them for the next time is there.
func (c *check) readAll(sub store.Subscription, leased store.Claim) {
	for _, call := range c.readCalls(sub, leased) {
		c.must(call.name, call.do(c.ctx))
	}
	c.snapshot()
}

func testClosed(c *check) {
	sub, leased, died := c.prepare()
	calls := c.calls(sub, leased, died)
	c.readAll(sub, leased)
	if !c.close() {
		return
	}
	for _, call := range calls {
		c.is(call.name, call.do(c.ctx), store.ErrClosed)
	}
	select {
	case _, open := <-c.store.Ready():
		equal(c, "Ready is open", open, true)
	default:
	}
}

func testEndedContext(c *check) {
	sub, leased, died := c.prepare()
	c.readAll(sub, leased)
	before, all := c.everything(), c.snapshot()
	figures := c.stats("")
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	late, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Hour))
	defer cancel()
	for _, call := range c.calls(sub, leased, died) {
		c.is(call.name, call.do(ctx), context.Canceled)
		c.is(call.name, call.do(late), context.DeadlineExceeded)
	}
	c.unchanged("after calls whose context had ended", all)
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
