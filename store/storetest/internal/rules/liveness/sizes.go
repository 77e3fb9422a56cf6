package liveness

import (
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// size is how much a store is filled with: events that all subscriptions want.
type size struct {
	subs, events int
}

// sizes are just above what stores count in: chunks, slices and steps of 256 and of 1,000, and 64
// Ki pending deliveries.
func sizes() []size {
	return []size{
		{257, 2},
		{1001, 3},
		{22_000, 3},
		{66_001, 1},
		{1000, 1000},
	}
}

// Sizes fills stores with no more than most deliveries, empties them and reports what takes too
// long.
func Sizes(t *testing.T, setup check.Setup, most int) {
	for _, size := range sizes() {
		if size.subs*size.events > most {
			continue
		}
		for name, end := range endings() {
			if size.subs > 1001 && name != "delivered" && most < 1_000_000 {
				continue // filling takes the longest
			}
			t.Run(fmt.Sprintf("%dx%d/%s", size.subs, size.events, name), func(t *testing.T) {
				what := fmt.Sprintf("%d subscriptions with %d events (%s)", size.subs, size.events,
					sizeRule)
				for _, v := range setup.Run(t, what, func(c *check.Driver) {
					fillAndEmpty(c, size, end)
				}) {
					t.Errorf("%s\n\trule: %s", v, sizeRule)
				}
			})
		}
	}
}

const sizeRule = "No call takes long, however wide events are and however much ends at once."

// endings are the ways in which everything that is pending ends.
func endings() map[string]func(c *check.Driver, subs []store.Subscription) {
	return map[string]func(c *check.Driver, subs []store.Subscription){
		"delivered": func(c *check.Driver, _ []store.Subscription) { deliverEverything(c) },
		"erased": func(c *check.Driver, _ []store.Subscription) {
			c.Erase(store.EraseQuery{Limit: 1000})
		},
		"deleted": func(c *check.Driver, subs []store.Subscription) {
			check.InParallel(c, len(subs), func(i int) error {
				return c.Store.DeleteSubscription(c.Ctx(), subs[i].ID)
			})
		},
	}
}

func fillAndEmpty(c *check.Driver, size size, end func(*check.Driver, []store.Subscription)) {
	subs := make([]store.Subscription, size.subs)
	for i := range subs {
		subs[i] = c.NewSub()
	}
	check.InParallel(c, len(subs), func(i int) error {
		_, err := c.Store.CreateSubscription(c.Ctx(), subs[i])
		return err
	})
	for left := size.events; left > 0; left -= 10 {
		c.Publish(min(left, 10))
	}
	check.Equal(c, "Pending", c.Stats("").Pending, size.subs*size.events)

	end(c, subs)
	check.Equal(c, "Pending after all has ended", c.Stats("").Pending, 0)
	c.Pass(0)
	pruneAll(c)
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{AnyTenant: true})
	c.Must("Deliveries", err)
	check.Equal(c, "deliveries after all was pruned", len(page.Items), 0)
	mixedCalls(c, c.Subscribe())
}

// pruneAll prunes with a retention that is over at once, until there is no more to do.
func pruneAll(c *check.Driver) {
	for {
		more, err := c.Store.Prune(c.Ctx(),
			store.Retention{Delivered: time.Millisecond, Failed: time.Millisecond})
		c.Must("Prune", err)
		if !more {
			return
		}
	}
}

// mixedCalls calls methods that work with what there is, as a host would that goes on meanwhile.
func mixedCalls(c *check.Driver, sub store.Subscription) {
	_, err := c.Store.Deliveries(c.Ctx(),
		store.DeliveryQuery{SubscriptionID: sub.ID, States: []store.State{store.Dead}})
	c.Must("Deliveries", err)
	_, err = c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: 1000})
	c.Must("Deliveries", err)
	claims := c.Claim(1000)
	c.Release(claims...)
	_, err = c.Store.Requeue(c.Ctx(), store.DeliveryQuery{SubscriptionID: sub.ID})
	c.Must("Requeue", err)
	c.Update(sub.ID, func(s *store.Subscription) { s.Name = "changed" })
	c.Stats(sub.ID)
}

// deliverEverything claims and finishes until nothing is claimed.
func deliverEverything(c *check.Driver) {
	for {
		result := c.ClaimWith(store.ClaimRequest{Max: 1000})
		claims := result.Claims
		if len(claims) == 0 && result.NextDue > 0 {
			return
		}
		outcomes := make([]store.Outcome, len(claims))
		for i, cl := range claims {
			outcomes[i] = check.Delivered(cl)
		}
		c.Finish(outcomes...)
	}
}
