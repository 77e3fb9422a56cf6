package storetest

import (
	"fmt"
	"runtime/metrics"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// Steps tests that a long series of steps costs the same from its first step to its last: Requeue
// of n deliveries, and Erase of all events of a tenant. Each step has to go on where the one before
// it ended, without a look at what was passed already. open returns a new, empty store; Steps
// closes it when it has a Close method.
//
// It compares what steps cost, which it counts in allocations: a store allocates for each delivery
// or event that it looks at, on however slow a machine. Nothing else may run beside it in the
// process. A store whose work is done in another process gives a cost of its own, which returns
// what all calls together have cost so far, in any unit; it is nil for allocations. A store whose
// steps look back fails from some 50,000 deliveries on.
func Steps(
	t *testing.T, open func(t *testing.T) store.Store, n int, cost func(t *testing.T) int64,
) {
	if cost == nil {
		cost = allocations
	}
	t.Run("requeue", func(t *testing.T) {
		c := stepsOf(t, open(t), n, cost)
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
		c := stepsOf(t, open(t), n, cost)
		q := store.EraseQuery{Limit: stepsLimit / stepsSubscriptions}
		c.take(n/stepsSubscriptions, func() (changed int, next string, err error) {
			changed, next, err = c.store.Erase(t.Context(), q)
			q.Cursor = next
			return changed, next, err
		})
	})
}

// allocations returns how many times the process has allocated.
func allocations(*testing.T) int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

const (
	stepsSubscriptions = 10  // of the tenant whose deliveries Steps makes
	stepsLimit         = 500 // deliveries of a step
	stepsDearer        = 3   // how much dearer than the first steps the last may be
)

// stepsCheck is a store with deliveries that are taken in steps.
type stepsCheck struct {
	*testing.T
	store store.Store
	subs  []string
	cost  func(*testing.T) int64
}

// stepsOf fills the store with n pending deliveries.
func stepsOf(
	t *testing.T, s store.Store, n int, cost func(*testing.T) int64,
) *stepsCheck {
	t.Cleanup(func() { check.CloseStore(s) })
	c := &stepsCheck{T: t, store: s, cost: cost}
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

// take takes all steps, which must change n in all, and compares the cheapest of the last with the
// cheapest of the first: what the store does beside them makes some dearer, a look back each.
func (c *stepsCheck) take(n int, step func() (changed int, next string, err error)) {
	c.Helper()
	const some = 10
	var costs []int64
	total := 0
	for next := "the first"; next != ""; {
		before := c.cost(c.T)
		changed, following, err := step()
		if err != nil {
			c.Fatal(err)
		}
		costs = append(costs, c.cost(c.T)-before)
		total, next = total+changed, following
	}
	if total != n {
		c.Errorf("changed: got %d, want %d", total, n)
	}
	if len(costs) < 3*some {
		c.Fatalf("there were %d steps, too few to compare", len(costs))
	}
	last := len(costs) - 1 // it may have less to do than the others
	first, late := slices.Min(costs[:some]), slices.Min(costs[last-some:last])
	c.Logf("%d in %d steps; the cheapest of the first cost %d, of the last %d", n, len(costs),
		first, late)
	if late > stepsDearer*first {
		c.Errorf("a late step cost %d, an early one %d: "+
			"each step must go on where the last one ended", late, first)
	}
}
