package calls

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func callRules() []check.Rule {
	return []check.Rule{
		{Name: "closed", Test: testClosed,
			Sentence: "After Close every method returns ErrClosed, with any arguments and also " +
				"for what was read before."},
		{Name: "ended-context", Test: testEndedContext,
			Sentence: "If its context has ended, a method changes nothing and returns the " +
				"context's error."},
	}
}

// call is one method, called so that it would succeed and change something.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// calls returns all methods that take a context. The claim must be leased, the delivery dead be
// Dead.
func calls(c *check.Driver, sub store.Subscription, leased, dead store.Claim) []call {
	s := c.Store
	return slices.Concat(readCalls(c, sub, leased), emptyCalls(c, sub), subscriptionCalls(c, sub),
		[]call{
			{"Enqueue", func(ctx context.Context) error {
				return s.Enqueue(ctx, c.Messages(1)...)
			}},
			{"Claim", func(ctx context.Context) error {
				_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: c.Long})
				return err
			}},
			{"Finish", func(ctx context.Context) error {
				_, err := s.Finish(ctx, check.Delivered(leased))
				return err
			}},
			{"Release", func(ctx context.Context) error { return s.Release(ctx, leased.Lease) }},
			{"Requeue", func(ctx context.Context) error {
				_, err := s.Requeue(ctx, store.DeliveryQuery{EventID: dead.EventID})
				return err
			}},
			{"Recovered", func(ctx context.Context) error {
				return s.Recovered(ctx, leased.SubscriptionID)
			}},
			{"ProbeNow", func(ctx context.Context) error {
				return s.ProbeNow(ctx, leased.SubscriptionID)
			}},
			{"Claim that pauses", func(ctx context.Context) error {
				_, err := s.Claim(ctx, store.ClaimRequest{
					Max: 1, Lease: c.Long,
					Pauses: []store.Pause{{SubscriptionID: leased.SubscriptionID, For: c.Long}},
				})
				return err
			}},
			{"Erase", func(ctx context.Context) error {
				_, _, err := s.Erase(ctx, store.EraseQuery{})
				return err
			}},
			{"Prune", func(ctx context.Context) error {
				_, err := s.Prune(ctx, store.Retention{Failed: c.Short})
				return err
			}},
		})
}

// readCalls returns all methods that read.
func readCalls(c *check.Driver, sub store.Subscription, leased store.Claim) []call {
	s := c.Store
	deliveries := func(q store.DeliveryQuery) func(ctx context.Context) error {
		return func(ctx context.Context) error { _, err := s.Deliveries(ctx, q); return err }
	}
	return []call{
		{"Subscription", func(ctx context.Context) error {
			_, err := s.Subscription(ctx, sub.ID)
			return err
		}},
		{"Subscriptions", func(ctx context.Context) error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
			return err
		}},
		{"Deliveries", deliveries(store.DeliveryQuery{})},
		{"Deliveries that are counted",
			deliveries(store.DeliveryQuery{AnyTenant: true, Count: true})},
		{"Deliveries of a subscription", deliveries(store.DeliveryQuery{SubscriptionID: sub.ID})},
		{"Deliveries of an event", deliveries(store.DeliveryQuery{EventID: leased.EventID})},
		{"Event", func(ctx context.Context) error {
			_, err := s.Event(ctx, "", leased.EventID)
			return err
		}},
		{"Attempts", func(ctx context.Context) error {
			_, err := s.Attempts(ctx, leased.SubscriptionID, leased.EventID)
			return err
		}},
		{"CountPending", func(ctx context.Context) error {
			_, err := s.CountPending(ctx, "", 10)
			return err
		}},
		{"Figures", func(ctx context.Context) error {
			_, err := s.Figures(ctx, store.FiguresQuery{AnyTenant: true})
			return err
		}},
		{"Stats", func(ctx context.Context) error { _, err := s.Stats(ctx, ""); return err }},
		{"Stats of a subscription", func(ctx context.Context) error {
			_, err := s.Stats(ctx, sub.ID)
			return err
		}},
	}
}

// emptyCalls returns methods called so that there is nothing to do.
func emptyCalls(c *check.Driver, sub store.Subscription) []call {
	s := c.Store
	return []call{
		{"Enqueue of nothing", func(ctx context.Context) error { return s.Enqueue(ctx) }},
		{"Claim of none", func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: c.Long})
			return err
		}},
		{"Finish of nothing", func(ctx context.Context) error {
			_, err := s.Finish(ctx)
			return err
		}},
		{"Release of nothing", func(ctx context.Context) error { return s.Release(ctx) }},
		{"Claim of none that ends a pause", func(ctx context.Context) error {
			pauses := []store.Pause{{SubscriptionID: sub.ID}}
			_, err := s.Claim(ctx, store.ClaimRequest{Lease: c.Long, Pauses: pauses})
			return err
		}},
		{"Requeue of nothing", func(ctx context.Context) error {
			_, err := s.Requeue(ctx, store.DeliveryQuery{EventID: "none"})
			return err
		}},
		{"ProbeNow of nothing", func(ctx context.Context) error { return s.ProbeNow(ctx) }},
		{"ProbeNow of one that is not there", func(ctx context.Context) error {
			return s.ProbeNow(ctx, "none")
		}},
		{"Prune that keeps all", func(ctx context.Context) error {
			_, err := s.Prune(ctx, store.Retention{})
			return err
		}},
	}
}

func subscriptionCalls(c *check.Driver, sub store.Subscription) []call {
	s := c.Store
	return []call{
		{"CreateSubscription", func(ctx context.Context) error {
			_, err := s.CreateSubscription(ctx, c.NewSub())
			return err
		}},
		{"UpdateSubscription", func(ctx context.Context) error {
			_, err := s.UpdateSubscription(ctx, sub.ID, func(s *store.Subscription) error {
				s.URL, s.Status = "https://new.example/", store.Unsubscribed
				return nil
			})
			return err
		}},
		{"DeleteSubscription", func(ctx context.Context) error {
			return s.DeleteSubscription(ctx, sub.ID)
		}},
	}
}

// prepare makes a subscription with a delivery that is dead, one that is leased and one that is
// due.
func prepare(c *check.Driver) (sub store.Subscription, leased, died store.Claim) {
	sub = c.Subscribe()
	c.Publish(3)
	died, leased = c.ClaimOne(), c.ClaimOne()
	c.Counts(check.Dead(died))
	c.Pass(c.Short)
	return sub, leased, died
}

// readAll calls all methods that read, so that what a store keeps of them for the next time is
// there.
func readAll(c *check.Driver, sub store.Subscription, leased store.Claim) {
	for _, call := range readCalls(c, sub, leased) {
		c.Must(call.name, call.do(c.Ctx()))
	}
	c.Snapshot()
}

func testClosed(c *check.Driver) {
	sub, leased, died := prepare(c)
	calls := calls(c, sub, leased, died)
	readAll(c, sub, leased)
	if !c.Close() {
		return
	}
	for _, call := range calls {
		c.Is(call.name, call.do(c.Ctx()), store.ErrClosed)
	}
	select {
	case _, open := <-c.Store.Ready():
		check.Equal(c, "Ready is open", open, true)
	default:
	}
}

func testEndedContext(c *check.Driver) {
	sub, leased, died := prepare(c)
	readAll(c, sub, leased)
	before, all := c.Everything(), c.Snapshot()
	figures := c.Stats("")
	ctx, cancel := context.WithCancel(c.Ctx())
	cancel()
	late, cancel := context.WithDeadline(c.Ctx(), time.Now().Add(-time.Hour))
	defer cancel()
	for _, call := range calls(c, sub, leased, died) {
		c.Is(call.name, call.do(ctx), context.Canceled)
		c.Is(call.name, call.do(late), context.DeadlineExceeded)
	}
	check.Unchanged(c, "after calls whose context had ended", all)
	stored, err := c.Store.Subscription(c.Ctx(), sub.ID)
	c.Must("Subscription", err)
	c.SameSubscription("the subscription", stored, sub)
	after := c.Everything()
	if len(after) != len(before) {
		c.Fatalf("deliveries: got %d, want %d", len(after), len(before))
	}
	for i := range before {
		check.Equal(c, "state", after[i].State, before[i].State)
		check.Equal(c, "Attempts", after[i].Attempts, before[i].Attempts)
	}
	got := c.Stats("")
	check.Equal(c, "Subscriptions", got.Subscriptions, figures.Subscriptions)
	check.Equal(c, "InFlight", got.InFlight, figures.InFlight)
	check.Equal(c, "responses of the dead one", len(c.Attempts(died.Lease)[0].Response) > 0, true)
	check.Equal(c, "claims: it is not paused", len(c.Claim(10)), 1)
	c.Counts(check.Delivered(leased))
}
