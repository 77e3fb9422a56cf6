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

// TestTenantComesBackWithoutAnEvent has the store that a tenant is moved to prune an event, while
// the store that the tenant comes back to still has what it had of it. To publish it again is to
// publish it anew, with any content.
func TestTenantComesBackWithoutAnEvent(t *testing.T) {
	for _, content := range []string{`{}`, `{"other":1}`} {
		for home := range 3 { // one in memory, two in files
			t.Run(fmt.Sprint(content, " in store ", home), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { comesBackWithout(t, content, home) })
			})
		}
	}
}

func comesBackWithout(t *testing.T, content string, home int) {
	s := movable(t)
	defer s.Close()
	sub := store.Subscription{ID: "5ab5c81b-0000-4000-8000-000000000001", Tenant: "moved",
		URL: "https://endpoint.example/", Status: store.Subscribed}
	if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	move := func(to int) {
		t.Helper()
		if err := s.Move(t.Context(), "moved", to); err != nil {
			t.Fatal(err)
		}
	}
	move(home)
	var evs []events.Event
	for i := range 100 { // more than are looked for without an index
		evs = append(evs, events.Event{ID: fmt.Sprintf("event-%02d", i), Type: "a.b", Tenant: "moved",
			Time: time.Now(), Payload: []byte("{}")})
	}
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Minute})
	if err != nil || len(got.Claims) != 100 {
		t.Fatalf("Claim: got %d, %v", len(got.Claims), err)
	}
	var outcomes []store.Outcome
	for i := range got.Claims {
		outcomes = append(outcomes, delivered(&got.Claims[i]))
	}
	if _, err := s.Finish(t.Context(), outcomes...); err != nil {
		t.Fatal(err)
	}
	away := (home + 1) % 3
	move(away)
	<-time.After(time.Hour) // of the bubble
	for more := true; more; {
		if more, err = s.inner[away].Prune(t.Context(),
			store.Retention{Delivered: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	move(home)

	for _, i := range []int{3, 99} { // one whose ID the index has, and one of the latest
		evs[i].Payload = []byte(content)
		for range 2 { // the second time it is known
			if err := s.Enqueue(t.Context(), evs[i]); err != nil {
				t.Fatalf("Enqueue of an event that was pruned: %v", err)
			}
		}
	}
	for more := true; more; { // removes what was left of the first ones
		if more, err = s.Prune(t.Context(), store.Retention{Delivered: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Enqueue(t.Context(), evs[3], evs[99]); err != nil {
		t.Fatalf("Enqueue again: %v", err)
	}
	found, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moved", Count: true})
	if err != nil || found.Total != 2 {
		t.Errorf("deliveries: got %d, %v, want the 2 that were published anew", found.Total, err)
	}
	if n, err := s.CountPending(t.Context(), "moved", 9); err != nil || n != 2 {
		t.Errorf("pending: got %d, %v, want 2", n, err)
	}
	one, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moved", EventID: evs[3].ID})
	if err != nil || len(one.Items) != 1 || one.Items[0].State != store.Pending {
		t.Errorf("the delivery of one event: got %+v, %v, want it pending", one.Items, err)
	}
	evs[3].Payload = []byte(`{"third":1}`)
	if err := s.Enqueue(t.Context(), evs[3]); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Enqueue of other content: got error %v, want %v", err, store.ErrConflict)
	}
}
