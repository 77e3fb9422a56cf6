package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// size is how much a store is filled with: events that all subscriptions want.
type size struct {
	subs, events int
}

// sizes are just above what stores count in: chunks, slices and steps of 256 and of 1,000, and 64 Ki pending deliveries.
func sizes() []size {
	return []size{
		{257, 2},
		{1001, 3},
		{22_000, 3},
		{66_001, 1},
		{1000, 1000},
	}
}

// Sizes fills stores with wide events, ends what is pending in each of the ways there are, and prunes it at once. Each call
// is watched: none may take longer than the Bound, whatever the size. It leaves out sizes of more than most deliveries, of
// which the largest has 1,000,000: they take minutes. It works in real time.
func (s Suite) Sizes(t *testing.T, most int) {
	s.RealTime = true
	for _, size := range sizes() {
		if size.subs*size.events > most {
			continue
		}
		for name, end := range endings() {
			if size.subs > 1001 && name != "delivered" && most < 1_000_000 {
				continue // filling takes the longest
			}
			t.Run(fmt.Sprintf("%dx%d/%s", size.subs, size.events, name), func(t *testing.T) {
				for _, v := range s.oversized(t, size, end) {
					t.Errorf("%s\n\trule: %s", v, sizeRule)
				}
			})
		}
	}
}

const sizeRule = "No call takes long, however wide events are and however much ends at once."

// endings are the ways in which everything that is pending ends.
func endings() map[string]func(c *check, subs []store.Subscription) {
	return map[string]func(c *check, subs []store.Subscription){
		"delivered": func(c *check, _ []store.Subscription) { c.deliverEverything() },
		"erased":    func(c *check, _ []store.Subscription) { c.erase(store.EraseQuery{Limit: 1000}) },
		"deleted": func(c *check, subs []store.Subscription) {
			c.inParallel(len(subs), func(i int) error { return c.store.DeleteSubscription(c.ctx, subs[i].ID) })
		},
	}
}

func (s Suite) oversized(t *testing.T, size size, end func(*check, []store.Subscription)) []string {
	dog := s.watch(fmt.Sprintf("%d subscriptions with %d events (%s)", size.subs, size.events, sizeRule))
	defer dog.end()
	return rule{test: func(c *check) { c.fillAndEmpty(size, end) }}.violations(s.newCheck(t, dog))
}

func (c *check) fillAndEmpty(size size, end func(*check, []store.Subscription)) {
	subs := make([]store.Subscription, size.subs)
	for i := range subs {
		subs[i] = c.newSub()
	}
	c.inParallel(len(subs), func(i int) error {
		_, err := c.store.CreateSubscription(c.ctx, subs[i])
		return err
	})
	for left := size.events; left > 0; left -= 10 {
		c.publish(min(left, 10))
	}
	equal(c, "Pending", c.stats("").Pending, size.subs*size.events)

	end(c, subs)
	equal(c, "Pending after all has ended", c.stats("").Pending, 0)
	c.pass(0)
	c.pruneAll()
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{AnyTenant: true})
	c.must("Deliveries", err)
	equal(c, "deliveries after all was pruned", len(page.Items), 0)
	c.mixedCalls(c.subscribe())
}

// pruneAll prunes with a retention that is over at once, until there is no more to do.
func (c *check) pruneAll() {
	for {
		more, err := c.store.Prune(c.ctx, store.Retention{Delivered: time.Millisecond, Failed: time.Millisecond})
		c.must("Prune", err)
		if !more {
			return
		}
	}
}

// mixedCalls calls methods that work with what there is, as a host would that goes on meanwhile.
func (c *check) mixedCalls(sub store.Subscription) {
	_, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{SubscriptionID: sub.ID, States: []store.State{store.Dead}})
	c.must("Deliveries", err)
	_, err = c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: 1000})
	c.must("Deliveries", err)
	claims := c.claim(1000)
	c.release(claims...)
	_, err = c.store.Requeue(c.ctx, store.DeliveryQuery{SubscriptionID: sub.ID})
	c.must("Requeue", err)
	c.update(sub.ID, func(s *store.Subscription) { s.Name = "changed" })
	c.stats(sub.ID)
}

// deliverEverything claims and finishes until nothing is claimed.
func (c *check) deliverEverything() {
	for {
		claims := c.claim(1000)
		if len(claims) == 0 {
			return
		}
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = delivered(cl)
		}
		c.finish(outcomes...)
	}
}

// inParallel does n things, several at once.
func (c *check) inParallel(n int, do func(i int) error) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					c.errorf("call %d of %d: got error %v", i, n, err)
					cancel()
				}
			}
		})
	}
	wg.Wait()
}
