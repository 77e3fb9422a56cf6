package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func concurrencyRules() []rule {
	return []rule{
		{name: "each-once", test: testEachOnce,
			rule: "Whoever publishes, claims and finishes at the same time, each delivery is claimed once and " +
				"none is lost."},
		{name: "limits", test: testLimitsAtOnce,
			rule: "Limits hold when many claim at the same time."},
		{name: "methods", test: testMethodsAtOnce,
			rule: "Methods may be called from any number of goroutines."},
		{name: "finish-once", test: testFinishOnce,
			rule: "Of the same outcome given twice at the same time, one counts."},
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

func testEachOnce(c *check) {
	const subs, rounds, batch = 5, 10, 4
	const want = subs * crowd * rounds * batch
	for range subs {
		c.subscribe()
	}
	var evs [crowd][rounds][]events.Event
	for i := range evs {
		for j := range evs[i] {
			evs[i][j] = c.messages(batch)
		}
	}
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	l := ledger{claimed: make(map[store.Lease]int)}
	var wg sync.WaitGroup
	for _, mine := range evs {
		wg.Go(func() {
			for _, batch := range mine {
				if err := c.store.Enqueue(ctx, batch...); err != nil {
					c.errorf("Enqueue: got error %v", err)
				}
			}
		})
		wg.Go(func() { c.deliverUntil(ctx, &l, want) })
	}
	wg.Wait()
	equal(c, "deliveries claimed", len(l.claimed), want)
	for lease, n := range l.claimed {
		if n != 1 {
			c.errorf("delivery of %s to %s: was claimed %d times", lease.EventID, lease.SubscriptionID, n)
		}
	}
	equal(c, "deliveries delivered", c.inState(store.Delivered), want)
	equal(c, "Pending", c.stats("").Pending, 0)
}

// deliverUntil claims and finishes until the ledger has as many deliveries as there are to be.
func (c *check) deliverUntil(ctx context.Context, l *ledger, want int) {
	for {
		claims, err := c.store.Claim(ctx, store.ClaimRequest{Max: 7, Lease: c.long})
		if err != nil {
			c.errorf("Claim: got error %v", err)
			return
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, cl := range claims.Claims {
			outcomes[i] = delivered(cl)
		}
		results, err := c.store.Finish(ctx, outcomes...)
		if err != nil {
			c.errorf("Finish: got error %v", err)
			return
		}
		for _, r := range results {
			if r.Ignored {
				c.errorf("Finish: an outcome was ignored, want it to count")
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

func testLimitsAtOnce(c *check) {
	for range 3 {
		c.subscribe()
	}
	c.publish(20)
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex // guards all
		all []store.Claim
	)
	for range 2 * crowd {
		wg.Go(func() {
			req := store.ClaimRequest{Max: 4, Lease: c.long, PerSubscription: 3, MaxUnhealthy: 7}
			claims, err := c.store.Claim(c.ctx, req)
			if err != nil {
				c.errorf("Claim: got error %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, claims.Claims...)
		})
	}
	wg.Wait()
	equal(c, "claims, of which 7 may be unhealthy", len(all), 7)
	for id, n := range perSubscription(all) {
		if n > 3 {
			c.errorf("claims of %s: got %d, want at most 3", id, n)
		}
	}
}

// testMethodsAtOnce is for the race detector, and for errors.
func testMethodsAtOnce(c *check) {
	var subs []store.Subscription
	for range crowd {
		subs = append(subs, c.subscribe())
	}
	evs := c.messages(10 * crowd)
	var wg sync.WaitGroup
	for i, sub := range subs {
		wg.Go(func() {
			for _, ev := range evs[10*i : 10*i+10] {
				for _, err := range c.someOfEverything(sub.ID, ev) {
					c.errorf("got error %v", err)
				}
			}
		})
	}
	wg.Wait()
	equal(c, "deliveries", len(c.everything()), crowd*len(evs))
	equal(c, "InFlight", c.stats("").InFlight, 0)
	for _, sub := range subs {
		stored, err := c.store.Subscription(c.ctx, sub.ID)
		c.must("Subscription", err)
		equal(c, "Name", stored.Name, "changed")
	}
}

// someOfEverything calls each method, and leaves what it has claimed delivered or given back.
func (c *check) someOfEverything(id string, ev events.Event) (errs []error) {
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	s := c.store
	note(s.Enqueue(c.ctx, ev))
	_, err := s.UpdateSubscription(c.ctx, id, func(s *store.Subscription) error { s.Name = "changed"; return nil })
	note(err)
	pauses := []store.Pause{{SubscriptionID: id, For: time.Nanosecond}, {SubscriptionID: id}}
	claims, err := s.Claim(c.ctx, store.ClaimRequest{Max: 3, Lease: c.long, Pauses: pauses})
	note(err)
	for i, cl := range claims.Claims {
		if i == 0 {
			_, err = s.Finish(c.ctx, delivered(cl))
		} else {
			err = s.Release(c.ctx, cl.Lease)
		}
		note(err)
	}
	_, err = s.Deliveries(c.ctx, store.DeliveryQuery{SubscriptionID: id, Limit: 5})
	note(err)
	_, err = s.Subscriptions(c.ctx, store.SubscriptionQuery{})
	note(err)
	_, err = s.Attempts(c.ctx, id, ev.ID)
	note(err)
	_, err = s.Requeue(c.ctx, store.DeliveryQuery{SubscriptionID: id, Limit: 1})
	note(err)
	note(s.ProbeNow(c.ctx, id))
	_, _, err = s.Erase(c.ctx, store.EraseQuery{Tenant: "nobody"})
	note(err)
	_, err = s.Prune(c.ctx, store.Retention{Delivered: c.long})
	note(err)
	_, err = s.Stats(c.ctx, id)
	note(err)
	return errs
}

func testFinishOnce(c *check) {
	sub := c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards counted
		counted int
	)
	for range crowd {
		wg.Go(func() {
			results, err := c.store.Finish(c.ctx, failed(cl, c.long))
			if err != nil {
				c.errorf("Finish: got error %v", err)
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
	equal(c, "outcomes that counted", counted, 1)
	equal(c, "Failures", c.health(sub.ID).Failures, 1)
	equal(c, "attempts", len(c.attempts(cl.Lease)), 1)
}
