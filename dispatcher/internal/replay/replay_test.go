package replay_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// fixture is a store with one subscription.
type fixture struct {
	*memstore.Store
	t *testing.T
}

const id = "3e639566-29fa-450d-a59f-ae3c25d7260f"

func newFixture(t *testing.T) fixture {
	t.Helper()
	s := memstore.New()
	_, err := s.CreateSubscription(t.Context(), store.Subscription{
		ID: id, URL: "https://a.example/hook", Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{s, t}
}

// finish publishes n events, and ends their attempts by an outcome.
func (f fixture) finish(n int, end func(*store.Outcome)) {
	f.t.Helper()
	ctx := f.t.Context()
	for i := range n {
		e, err := events.New("a.b", fmt.Sprint(i))
		if err == nil {
			err = f.Enqueue(ctx, e)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	claims, err := f.Claim(ctx, store.ClaimRequest{Max: n, Lease: time.Hour})
	if err != nil || len(claims.Claims) != n {
		f.t.Fatalf("claimed %d, %v; want %d", len(claims.Claims), err, n)
	}
	var outcomes []store.Outcome
	for _, c := range claims.Claims {
		o := store.Outcome{Lease: c.Lease,
			Attempt: store.Attempt{Number: c.Attempt, At: time.Now(), Status: 200}}
		end(&o)
		outcomes = append(outcomes, o)
	}
	if _, err := f.Finish(ctx, outcomes...); err != nil {
		f.t.Fatal(err)
	}
}

// claimable returns how many deliveries can be claimed now.
func (f fixture) claimable() int {
	f.t.Helper()
	claims, err := f.Claim(f.t.Context(), store.ClaimRequest{Max: 10_000, Lease: time.Hour})
	if err != nil {
		f.t.Fatal(err)
	}
	return len(claims.Claims)
}

// TestAllTakesSteps replays more than fits into a step, and Count says how many that will be.
func TestAllTakesSteps(t *testing.T) {
	const n = 1203
	f := newFixture(t)
	f.finish(n, func(o *store.Outcome) { o.State = store.Dead })
	q := store.DeliveryQuery{SubscriptionID: id}
	if got, err := replay.Count(t.Context(), f, q); got != n || err != nil {
		t.Errorf("Count: got %d, %v, want %d", got, err, n)
	}
	if got, err := replay.All(t.Context(), f, q); got != n || err != nil {
		t.Errorf("All: got %d, %v, want %d", got, err, n)
	}
	if got := f.claimable(); got != n {
		t.Errorf("%d can be claimed, want %d", got, n)
	}
	if got, err := replay.All(t.Context(), f, q); got != 0 || err != nil {
		t.Errorf("All again: got %d, %v, want none", got, err)
	}
}

// TestRecovered ends a hold, and the wait for a retry.
func TestRecovered(t *testing.T) {
	f := newFixture(t)
	f.finish(3, func(o *store.Outcome) {
		o.State, o.RetryIn = store.Pending, time.Hour
		o.Probe = store.ProbePolicy{Threshold: 1, First: time.Hour, Max: time.Hour}
	})
	if got := f.claimable(); got != 0 {
		t.Fatalf("%d can be claimed, want none", got)
	}
	if err := replay.Recovered(t.Context(), f, id); err != nil {
		t.Fatal(err)
	}
	if got := f.claimable(); got != 3 {
		t.Errorf("%d can be claimed, want 3", got)
	}
	const unknown = "8a6c7f52-3f2e-4a1b-9c1d-0e5f6a7b8c9d"
	if err := replay.Recovered(t.Context(), f, unknown); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of an unknown one: got %v, want store.ErrNotFound", err)
	}
}
