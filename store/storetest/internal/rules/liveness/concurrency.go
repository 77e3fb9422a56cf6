package liveness

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func concurrencyRules() []check.Rule {
	return []check.Rule{
		{Name: "each-once", Test: testEachOnce,
			Sentence: "With many publishers and workers at the same time, each delivery is " +
				"claimed once and none is lost."},
		{Name: "limits", Test: testLimitsAtOnce,
			Sentence: "Limits hold when many claim at the same time."},
		{Name: "methods", Test: testMethodsAtOnce,
			Sentence: "Methods may be called from any number of goroutines."},
		{Name: "finish-once", Test: testFinishOnce,
			Sentence: "Of the same outcome given twice at the same time, one counts."},
	}
}

// crowd is how many goroutines there are of each kind.
const crowd = 4

// delivery counter: which deliveries were claimed, and how often.
type ledger struct {
	mu      sync.Mutex // guards claimed
	claimed map[store.Lease]int
}

func (l *ledger) add(claims []store.Claim) (total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cl := range claims {
		l.claimed[store.Lease{SubscriptionID: cl.SubscriptionID, EventID: cl.EventID}]++
	}
	return len(l.claimed)
}

func testEachOnce(c *check.Driver) {
	const subs, rounds, batch = 5, 10, 4
	const want = subs * crowd * rounds * batch
	for range subs {
		c.Subscribe()
	}
	var evs [crowd][rounds][]events.Event
	for i := range evs {
		for j := range evs[i] {
			evs[i][j] = c.Messages(batch)
		}
	}
	ctx, cancel := context.WithTimeout(c.Ctx(), time.Minute)
	defer cancel()
	l := ledger{claimed: make(map[store.Lease]int)}
	var wg sync.WaitGroup
	for _, mine := range evs {
		wg.Go(func() {
			for _, batch := range mine {
				if err := c.Store.Enqueue(ctx, batch...); err != nil {
					c.Errorf("Enqueue: got error %v", err)
				}
			}
		})
		wg.Go(func() { deliverUntil(c, ctx, &l, want) })
	}
	wg.Wait()
	check.Equal(c, "deliveries claimed", len(l.claimed), want)
	for lease, n := range l.claimed {
		if n != 1 {
			c.Errorf("delivery of %s to %s: was claimed %d times", lease.EventID,
				lease.SubscriptionID, n)
		}
	}
	check.Equal(c, "deliveries delivered", c.InState(store.Delivered), want)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
}

// deliverUntil claims and finishes until the ledger has as many deliveries as there are to be.
func deliverUntil(c *check.Driver, ctx context.Context, l *ledger, want int) {
	for {
		claims, err := c.Store.Claim(ctx, store.ClaimRequest{Max: 7, Lease: c.Long})
		if err != nil {
			c.Errorf("Claim: got error %v", err)
			return
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, cl := range claims.Claims {
			outcomes[i] = check.Delivered(cl)
		}
		results, err := c.Store.Finish(ctx, outcomes...)
		if err != nil {
			c.Errorf("Finish: got error %v", err)
			return
		}
		for _, r := range results {
			if r.Ignored {
				c.Errorf("Finish: an outcome was ignored, want it to count")
			}
		}
		if l.add(claims.Claims) == want {
			return
		}
		if len(claims.Claims) == 0 && !moment(ctx) {
			return
		}
	}
}

// moment waits a little and reports whether the context still runs.
func moment(ctx context.Context) bool {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func testLimitsAtOnce(c *check.Driver) {
	for range 3 {
		c.Subscribe()
	}
	c.Publish(20)
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex // guards all
		all []store.Claim
	)
	for range 2 * crowd {
		wg.Go(func() {
			req := store.ClaimRequest{Max: 4, Lease: c.Long, PerSubscription: 3, MaxUnhealthy: 7}
			claims, err := c.Store.Claim(c.Ctx(), req)
			if err != nil {
				c.Errorf("Claim: got error %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, claims.Claims...)
		})
	}
	wg.Wait()
	check.Equal(c, "claims, with room for 7 unhealthy ones", len(all), 7)
	for id, n := range check.PerSubscription(all) {
		if n > 3 {
			c.Errorf("claims of %s: got %d, want at most 3", id, n)
		}
	}
}

// testMethodsAtOnce is for the race detector, and for errors.
func testMethodsAtOnce(c *check.Driver) {
	var subs []store.Subscription
	for range crowd {
		subs = append(subs, c.Subscribe())
	}
	evs := c.Messages(10 * crowd)
	var wg sync.WaitGroup
	for i, sub := range subs {
		wg.Go(func() {
			for _, ev := range evs[10*i : 10*i+10] {
				for _, err := range someOfEverything(c, sub.ID, ev) {
					c.Errorf("got error %v", err)
				}
			}
		})
	}
	wg.Wait()
	check.Equal(c, "deliveries", len(c.Everything()), crowd*len(evs))
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	for _, sub := range subs {
		stored, err := c.Store.Subscription(c.Ctx(), sub.ID)
		c.Must("Subscription", err)
		check.Equal(c, "Name", stored.Name, "changed")
	}
}

// someOfEverything calls each method, and leaves what it has claimed delivered or given back.
func someOfEverything(c *check.Driver, id string, ev events.Event) (errs []error) {
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	s := c.Store
	note(s.Enqueue(c.Ctx(), ev))
	_, err := s.UpdateSubscription(c.Ctx(), id, func(s *store.Subscription) error {
		s.Name = "changed"
		return nil
	})
	note(err)
	pauses := []store.Pause{{SubscriptionID: id, For: time.Nanosecond}, {SubscriptionID: id}}
	claims, err := s.Claim(c.Ctx(), store.ClaimRequest{Max: 3, Lease: c.Long, Pauses: pauses})
	note(err)
	for i, cl := range claims.Claims {
		if i == 0 {
			_, err = s.Finish(c.Ctx(), check.Delivered(cl))
		} else {
			err = s.Release(c.Ctx(), cl.Lease)
		}
		note(err)
	}
	_, err = s.Deliveries(c.Ctx(), store.DeliveryQuery{SubscriptionID: id, Limit: 5})
	note(err)
	_, err = s.Subscriptions(c.Ctx(), store.SubscriptionQuery{})
	note(err)
	_, err = s.Attempts(c.Ctx(), id, ev.ID)
	note(err)
	_, err = s.Requeue(c.Ctx(), store.DeliveryQuery{SubscriptionID: id, Limit: 1})
	note(err)
	note(s.ProbeNow(c.Ctx(), id))
	_, _, err = s.Erase(c.Ctx(), store.EraseQuery{Tenant: "nobody"})
	note(err)
	_, err = s.Prune(c.Ctx(), store.Retention{Delivered: c.Long})
	note(err)
	_, err = s.Stats(c.Ctx(), id)
	note(err)
	return errs
}

func testFinishOnce(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards counted
		counted int
	)
	for range crowd {
		wg.Go(func() {
			results, err := c.Store.Finish(c.Ctx(), check.Failed(cl, c.Long))
			if err != nil {
				c.Errorf("Finish: got error %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if !results[0].Ignored {
				counted++
			}
		})
	}
	wg.Wait()
	check.Equal(c, "outcomes that counted", counted, 1)
	check.Equal(c, "Failures", c.Health(sub.ID).Failures, 1)
	check.Equal(c, "attempts", len(c.Attempts(cl.Lease)), 1)
}
