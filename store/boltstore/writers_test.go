package boltstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// writer is a method that writes. prepare does what it needs, and returns the call and whether it
// has had its effect.
type writer struct {
	name    string
	prepare func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool)
}

type call func(context.Context) error

// writers are all methods that may commit something.
var writers = []writer{
	{"Enqueue", func(t *testing.T, s *boltstore.Store, _ string) (call, func() bool) {
		before := pending(t, s)
		return func(ctx context.Context) error { return s.Enqueue(ctx, Event("new")) },
			func() bool { return pending(t, s) != before }
	}},
	{"Finish", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		publish(t, s, "finished", 1)
		c := claim(t, s, 1)[0]
		call := func(ctx context.Context) error {
			_, err := s.Finish(ctx, store.Outcome{Lease: c.Lease, State: store.Delivered})
			return err
		}
		return call, func() bool { return state(t, s, sub, c.EventID) != store.Pending }
	}},
	{"Requeue", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		id := publish(t, s, "requeued", 1)[0]
		finish(t, s, claim(t, s, 1), store.Dead, 0)
		call := func(ctx context.Context) error {
			q := store.DeliveryQuery{EventID: id,
				States: []store.State{store.Dead}}
			r, err := s.Requeue(ctx, q)
			if err != nil && r.Requeued != 0 {
				t.Errorf("Requeue returned %+v with error %v", r, err)
			}
			q.States[0] = store.Pending // the caller's own again, however the operation ends
			return err
		}
		return call, func() bool { return state(t, s, sub, id) == store.Pending }
	}},
	{"Erase an event", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		id := publish(t, s, "erased", 1)[0]
		return eraseAll(t, s, store.EraseQuery{EventID: id}),
			func() bool { return state(t, s, sub, id) != store.Pending }
	}},
	{"Erase a tenant", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		id := publish(t, s, "all", 1)[0]
		return eraseAll(t, s, store.EraseQuery{}),
			func() bool { return state(t, s, sub, id) != store.Pending }
	}},
	{"Prune what is old", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		publish(t, s, "old", 1)
		finish(t, s, claim(t, s, 1), store.Delivered, 0)
		before := oldest(t, s)
		return pruneStep(s), func() bool { return oldest(t, s) != before }
	}},
	{"Prune what is canceled", func(t *testing.T, s *boltstore.Store, sub string) (call,
		func() bool) {
		publish(t, s, "canceled", 1)
		_, err := s.UpdateSubscription(t.Context(), sub, func(sub *store.Subscription) error {
			sub.Status = store.Unsubscribed
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return pruneStep(s), func() bool { return false } // it changes nothing that can be seen
	}},
	{"CreateSubscription", func(t *testing.T, s *boltstore.Store, _ string) (call, func() bool) {
		sub := store.Subscription{ID: "created", URL: "https://e.example/",
			Status: store.Subscribed}
		call := func(ctx context.Context) error {
			_, err := s.CreateSubscription(ctx, sub)
			return err
		}
		return call, func() bool { return exists(t, s, sub.ID) }
	}},
	{"UpdateSubscription", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		call := func(ctx context.Context) error {
			_, err := s.UpdateSubscription(ctx, sub, func(sub *store.Subscription) error {
				sub.Name = "updated"
				return nil
			})
			return err
		}
		return call, func() bool {
			sub, err := s.Subscription(t.Context(), sub)
			return err != nil || sub.Name == "updated"
		}
	}},
	{"DeleteSubscription", func(t *testing.T, s *boltstore.Store, sub string) (call, func() bool) {
		call := func(ctx context.Context) error { return s.DeleteSubscription(ctx, sub) }
		return call, func() bool { return !exists(t, s, sub) }
	}},
	{"Claim of what is damaged", func(t *testing.T, s *boltstore.Store, _ string) (call,
		func() bool) {
		publish(t, s, "damaged", 1)
		finish(t, s, claim(t, s, 1), store.Pending, 0)
		if !s.Damage("deliveries") {
			t.Fatal("there is no record to damage")
		}
		call := func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: time.Hour})
			return err
		}
		return call, func() bool { return false }
	}},
}

func eraseAll(t *testing.T, s *boltstore.Store, q store.EraseQuery) call {
	return func(ctx context.Context) error {
		n, _, err := s.Erase(ctx, q)
		if err != nil && n != 0 {
			t.Errorf("Erase returned %d with error %v", n, err)
		}
		return err
	}
}

func pruneStep(s *boltstore.Store) call {
	return func(ctx context.Context) error {
		_, err := s.Prune(ctx, store.Retention{Delivered: 1, Failed: 1})
		return err
	}
}

// state returns a delivery's state.
func state(t *testing.T, s *boltstore.Store, sub, eventID string) store.State {
	t.Helper()
	q := store.DeliveryQuery{AnyTenant: true, SubscriptionID: sub, EventID: eventID}
	page, err := s.Deliveries(t.Context(), q)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("deliveries of %s: got %+v, %v", eventID, page.Items, err)
	}
	return page.Items[0].State
}

func exists(t *testing.T, s *boltstore.Store, sub string) bool {
	t.Helper()
	_, err := s.Subscription(t.Context(), sub)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
