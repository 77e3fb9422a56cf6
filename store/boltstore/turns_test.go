package boltstore_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// TestLongReadsTakeTurns has others read all the time. Whatever may read for long waits for its
// turn, with nothing in its hands that those who publish and deliver need; and can be left.
func TestLongReadsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "old", 3)
		// Stats has to look for the oldest, which has a row.
		finish(t, s, claim(t, s, 3), store.Pending, time.Hour)
		reads := map[string]func(context.Context) error{
			"Deliveries": func(ctx context.Context) error {
				_, err := s.Deliveries(ctx, store.DeliveryQuery{})
				return err
			},
			"Deliveries of a subscription": func(ctx context.Context) error {
				_, err := s.Deliveries(ctx, store.DeliveryQuery{SubscriptionID: id})
				return err
			},
			"Requeue": func(ctx context.Context) error {
				_, err := s.Requeue(ctx, store.DeliveryQuery{})
				return err
			},
			"Erase": func(ctx context.Context) error {
				_, _, err := s.Erase(ctx, store.EraseQuery{})
				return err
			},
			"Stats": func(ctx context.Context) error {
				_, err := s.Stats(ctx, "")
				return err
			},
			"Subscriptions": func(ctx context.Context) error {
				_, err := s.Subscriptions(ctx, store.SubscriptionQuery{})
				return err
			},
		}
		release := s.TakeTurns()
		type result struct {
			name string
			err  error
		}
		ended := make(chan result, 2*len(reads))
		leaving, leave := context.WithCancel(t.Context())
		defer leave()
		for name, read := range reads {
			go func() { ended <- result{name, read(t.Context())} }()
			go func() { ended <- result{name, read(leaving)} }()
		}
		synctest.Wait() // all of them wait for what only this test can do
		if n := len(ended); n > 0 {
			r := <-ended
			t.Fatalf("%d reads have ended without a turn, %s with %v", n, r.name, r.err)
		}
		publish(t, s, "new", 1)
		finish(t, s, claim(t, s, 1), store.Delivered, 0)
		leave()
		for range reads {
			if r := <-ended; r.err == nil {
				t.Errorf("%s, whose caller has left, has no error", r.name)
			}
		}
		release()
		for range reads {
			if r := <-ended; r.err != nil {
				t.Errorf("%s: %v", r.name, r.err)
			}
		}
	})
}
