package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// Steps tests that a long series of steps costs the same from its first step to its last: Requeue
// of n deliveries, and Erase of all events of a tenant. Each step has to go on where the one before
// it ended, without a look at what was passed already. open returns a new, empty store; Steps
// closes it when it has a Close method.
//
// It compares steps with each other, so it holds on a slow machine too. A store whose steps look
// back fails from some 50,000 deliveries on.
func Steps(t *testing.T, open func(t *testing.T) store.Store, n int) {
	t.Run("requeue", func(t *testing.T) {
		c := stepsOf(t, open(t), n)
		c.everySubscription(store.Unsubscribed) // cancels all that is pending
		c.everySubscription(store.Subscribed)
		q := store.DeliveryQuery{Limit: stepsLimit, States: []store.State{store.Canceled}}
		c.take(n, func() (changed int, next string, err error) {
			r, err := c.store.Requeue(t.Context(), q)
			q.Cursor = r.Next
			return r.Requeued, r.Next, err
		})
	})
	t.Run("erase", func(t *testing.T) {
		c := stepsOf(t, open(t), n)
		q := store.EraseQuery{Limit: stepsLimit / stepsSubscriptions}
		c.take(n/stepsSubscriptions, func() (changed int, next string, err error) {
			changed, next, err = c.store.Erase(t.Context(), q)
			q.Cursor = next
			return changed, next, err
		})
	})
}

const (
	stepsSubscriptions = 10  // of the tenant whose deliveries Steps makes
	stepsLimit         = 500 // deliveries of a step
	stepsSlower        = 6   // how much slower than the first steps the last may be
)

// stepsCheck is a store with deliveries that are taken in steps.
type stepsCheck struct {
	*testing.T
	store store.Store
	subs  []string
}

// stepsOf fills the store with n pending deliveries.
func stepsOf(t *testing.T, s store.Store, n int) *stepsCheck {
	t.Cleanup(func() { check.CloseStore(s) })
	c := &stepsCheck{T: t, store: s}
	for i := range stepsSubscriptions {
		sub := store.Subscription{
			ID:  fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", i),
			URL: "https://endpoint.example/webhook", Status: store.Subscribed,
		}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		c.subs = append(c.subs, sub.ID)
	}
	const batch = 500
	var d check.Driver
	for left := n / stepsSubscriptions; left > 0; left -= batch {
		if err := s.Enqueue(t.Context(), d.Messages(min(left, batch))...); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// everySubscription gives all subscriptions the status.
func (c *stepsCheck) everySubscription(status store.Status) {
	c.Helper()
	for _, id := range c.subs {
		_, err := c.store.UpdateSubscription(c.Context(), id, func(s *store.Subscription) error {
			s.Status = status
			return nil
		})
		if err != nil {
			c.Fatal(err)
		}
	}
}

// take takes all steps, which must change n in all, and compares the fastest of the last with the
// fastest of the first: chance and load slow some steps down, a look back slows each.
func (c *stepsCheck) take(n int, step func() (changed int, next string, err error)) {
	c.Helper()
	const some = 10
	var times []time.Duration
	total := 0
	for next := "the first"; next != ""; {
		began := time.Now()
		changed, following, err := step()
		if err != nil {
			c.Fatal(err)
		}
		times = append(times, time.Since(began))
		total, next = total+changed, following
	}
	if total != n {
		c.Errorf("changed: got %d, want %d", total, n)
	}
	if len(times) < 3*some {
		c.Fatalf("there were %d steps, too few to compare", len(times))
	}
	last := len(times) - 1 // it may have less to do than the others
	first, late := slices.Min(times[:some]), slices.Min(times[last-some:last])
	all := time.Duration(0)
	for _, d := range times {
		all += d
	}
	c.Logf("%d in %d steps took %v; the fastest of the first %v, of the last %v", n, len(times),
		all, first, late)
	if late > stepsSlower*first {
		c.Errorf("a late step took %v, an early one %v: "+
			"each step must go on where the last one ended", late, first)
	}
}
