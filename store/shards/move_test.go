package shards_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TestMoveLimits wants the number of a store that is not there, and a tenant that both stores have,
// to be refused.
func TestMoveLimits(t *testing.T) {
	stores := filled(t, &budget{calls: 1 << 30})
	s := overBreaking(t, stores)
	defer s.Close()
	for _, to := range []int{-1, 2} {
		var invalid *events.InvalidError
		if err := s.Move(t.Context(), "moved", to); !errors.As(err, &invalid) || invalid.Field != "to" {
			t.Errorf("Move to %d: got error %v", to, err)
		}
	}
	_, err := stores[1].CreateSubscription(t.Context(), store.Subscription{
		ID: "5ab5c81b-0000-4000-8000-000000000002", Tenant: "moved", Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Move(t.Context(), "moved", 1); err == nil {
		t.Error("Move to a store that has the tenant: got no error")
	}
	if err := s.Move(t.Context(), "moved", 0); err != nil {
		t.Errorf("Move to where it is: %v", err)
	}
	settled(t, s, "after moves that were refused")
}

// TestTenantComesBack moves a tenant away and back, before what it has left is pruned, and then
// prunes. Its events must stay known: published again, they change nothing.
func TestTenantComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := movable(t)
		defer s.Close()
		sub := store.Subscription{ID: "5ab5c81b-0000-4000-8000-000000000001", Tenant: "moved",
			URL: "https://endpoint.example/", Status: store.Subscribed}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		var evs []events.Event
		for i := range 100 { // more than are looked for without an index
			evs = append(evs, events.Event{ID: fmt.Sprint("event-", i), Type: "a.b", Tenant: "moved",
				Time: time.Now(), Payload: []byte("{}")})
		}
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		for _, to := range []int{1, 2, 1, 2, 0, 1} {
			if err := s.Move(t.Context(), "moved", to); err != nil {
				t.Fatal(err)
			}
		}
		for more := true; more; {
			var err error
			if more, err = s.Prune(t.Context(), store.Retention{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		found, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moved", Count: true})
		if err != nil || found.Total != len(evs) {
			t.Errorf("deliveries: got %d, error %v, want %d", found.Total, err, len(evs))
		}
		evs[0].Payload = []byte(`"other"`)
		if err := s.Enqueue(t.Context(), evs[0]); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Enqueue of other content: got error %v, want %v", err, store.ErrConflict)
		}
	})
}
