package memstore_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const year = 365 * 24 * time.Hour

// TestClockJumps has the system's clock jump by a year while a retry is under way.
func TestClockJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forward": year, "back": -year} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { jumpClock(t, jump) })
		})
	}
}

func jumpClock(t *testing.T, jump time.Duration) {
	offset := time.Duration(0)
	wall := func() time.Time { return time.Now().Round(0).Add(offset) }
	c := &clocked{t: t, s: memstore.NewWithWall(wall)}
	sub := c.subscribe()
	first := event("first", wall())
	c.enqueue(first)
	c.finish(c.claim("first"), store.Pending, time.Minute)

	offset = jump
	c.enqueue(first) // known still
	c.enqueue(event("second", wall()))
	c.finish(c.claim("second"), store.Delivered, 0)
	c.enqueue(event("stale", wall().Add(-2*year)))
	c.claim()
	pass(time.Minute)
	c.finish(c.claim("first"), store.Delivered, 0)

	stats, err := c.s.Stats(t.Context(), sub.ID)
	if err != nil || stats.Hour.Delivered != 2 || stats.Hour.Failed != 1 {
		t.Errorf("Stats: got Hour %+v, %v; want 2 delivered, 1 failed", stats.Hour, err)
	}
	pass(25 * time.Hour)
	stats, err = c.s.Stats(t.Context(), sub.ID)
	if err != nil || stats.Day != (store.AttemptStats{}) {
		t.Errorf("Stats a day later: got Day %+v, %v; want zero", stats.Day, err)
	}
	for _, keep := range []time.Duration{26 * time.Hour, 24 * time.Hour} {
		if _, err := c.s.Prune(t.Context(), store.Retention{Delivered: keep}); err != nil {
			t.Fatal(err)
		}
		page, err := c.s.Deliveries(t.Context(), store.DeliveryQuery{})
		if want := keep > 25*time.Hour; err != nil || want != (len(page.Items) > 0) {
			t.Errorf("deliveries after 25 h, kept for %v: got %d, %v; want some: %t",
				keep, len(page.Items), err, want)
		}
	}
}

func event(id string, at time.Time) events.Event {
	return events.Event{ID: id, Type: "clock.struck", Time: at, Payload: []byte("1")}
}

// pass lets time pass by the clock that never jumps.
func pass(d time.Duration) { <-time.After(d) }

// clocked is a store and short ways to use it.
type clocked struct {
	t *testing.T
	s *memstore.Store
}

func (c *clocked) subscribe() store.Subscription {
	c.t.Helper()
	sub, err := c.s.CreateSubscription(c.t.Context(), store.Subscription{
		ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", URL: "https://endpoint.example/",
		Status: store.Subscribed,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return sub
}

func (c *clocked) enqueue(ev events.Event) {
	c.t.Helper()
	if err := c.s.Enqueue(c.t.Context(), ev); err != nil {
		c.t.Fatal(err)
	}
}

// claim claims what is due, which must be the events with these IDs, and returns the last.
func (c *clocked) claim(want ...string) (last store.Claim) {
	c.t.Helper()
	claims, err := c.s.Claim(c.t.Context(), store.ClaimRequest{Max: 10, Lease: time.Minute})
	if err != nil || len(claims.Claims) != len(want) {
		c.t.Fatalf("Claim: got %d, %v; want %q", len(claims.Claims), err, want)
	}
	for i, cl := range claims.Claims {
		if cl.EventID != want[i] {
			c.t.Fatalf("Claim: got %s, want %s", cl.EventID, want[i])
		}
		last = cl
	}
	return last
}

func (c *clocked) finish(cl store.Claim, state store.State, retryIn time.Duration) {
	c.t.Helper()
	results, err := c.s.Finish(c.t.Context(), store.Outcome{
		Lease: cl.Lease, State: state, RetryIn: retryIn,
		Attempt: store.Attempt{Status: 200, Duration: time.Second},
	})
	if err != nil || results[0].Ignored {
		c.t.Fatalf("Finish: got %+v, %v", results, err)
	}
}
