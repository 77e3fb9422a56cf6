package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memstore.New() })
}

func TestClose(t *testing.T) {
	s := memstore.New()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: got error %v, want none", err)
		}
	}
	if _, err := s.Stats(t.Context(), ""); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Stats after Close: got error %v, want %v", err, store.ErrClosed)
	}
}

func TestFinishRefusesState(t *testing.T) {
	s := memstore.New()
	for _, state := range []store.State{"", "lost", "Delivered"} {
		_, err := s.Finish(t.Context(), store.Outcome{State: state})
		var invalid *events.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "state" {
			t.Errorf("Finish with state %q: got error %v, want an *events.InvalidError about state",
				state, err)
		}
	}
}

func ExampleNew() {
	ctx := context.Background()
	s := memstore.New()
	defer s.Close()

	sub, err := s.CreateSubscription(ctx, store.Subscription{
		ID:     "3e639566-29fa-450d-a59f-ae3c25d7260f",
		URL:    "https://endpoint.example/webhook",
		Events: []string{"order.*"},
		Status: store.Subscribed,
	})
	if err != nil {
		panic(err)
	}
	ev, err := events.New("order.paid", map[string]int{"order": 7})
	if err != nil {
		panic(err)
	}
	if err := s.Enqueue(ctx, ev); err != nil {
		panic(err)
	}
	claims, err := s.Claim(ctx, store.ClaimRequest{Max: 10, Lease: time.Minute})
	if err != nil {
		panic(err)
	}
	for _, cl := range claims.Claims {
		fmt.Println(cl.EventType, "to", cl.Subscription.URL, "attempt", cl.Attempt)
	}
	stats, err := s.Stats(ctx, sub.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println("pending", stats.Pending, "in flight", stats.InFlight)
	// Output:
	// order.paid to https://endpoint.example/webhook attempt 1
	// pending 1 in flight 1
}
