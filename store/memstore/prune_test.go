package memstore_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestPruneCost has deliveries that are kept for the longer retention, and counts what Prune looks
// at as time goes by.
func TestPruneCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3000
		s := memstore.New()
		sub := store.Subscription{
			ID:     "00000000-0000-4000-8000-000000000001",
			URL:    "https://endpoint.example/",
			Status: store.Subscribed,
		}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		publish := func(name string, n int) {
			t.Helper()
			for i := range n {
				id := fmt.Sprintf("%s-%d", name, i)
				payload, _ := json.Marshal(id)
				e := events.Event{ID: id, Type: "message.created", Time: time.UnixMilli(4e12), Payload: payload}
				if err := s.Enqueue(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		finish := func(state store.State) {
			t.Helper()
			for {
				c, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				if len(c.Claims) == 0 {
					return
				}
				var outcomes []store.Outcome
				for _, c := range c.Claims {
					outcomes = append(
						outcomes,
						store.Outcome{Lease: c.Lease, State: state, Attempt: store.Attempt{Status: 200}},
					)
				}
				if _, err := s.Finish(t.Context(), outcomes...); err != nil {
					t.Fatal(err)
				}
			}
		}
		r := store.Retention{Delivered: time.Hour, Failed: 240 * time.Hour}
		check := func(what string, removed, left int) {
			t.Helper()
			before := s.Looked()
			steps := 0
			for more := true; more; steps++ {
				var err error
				if more, err = s.Prune(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			if got, limit := s.Looked()-before, removed+2*steps; got > limit {
				t.Errorf("%s: Prune has looked at %d deliveries, want at most %d", what, got, limit)
			}
			page, err := s.Deliveries(
				t.Context(),
				store.DeliveryQuery{AnyTenant: true, Limit: 1, Count: true},
			)
			if err != nil || page.Total != left {
				t.Errorf("%s: %d deliveries are left, %v, want %d", what, page.Total, err, left)
			}
		}
		publish("dead", n)
		finish(store.Dead)
		publish("delivered", 10)
		finish(store.Delivered)
		check("before any retention", 0, n+10)
		time.Sleep(2 * time.Hour)
		publish("later", 1)
		finish(store.Delivered)
		check("when ten are past theirs", 10, n+1)
		time.Sleep(2 * time.Hour)
		check("when a later one is past its", 1, n)
		dead := store.DeliveryQuery{SubscriptionID: sub.ID, EventID: "dead-0"}
		if _, err := s.Requeue(t.Context(), dead); err != nil {
			t.Fatal(err)
		}
		check("when the oldest is pending again", 0, n)
		finish(store.Delivered)
		time.Sleep(2 * time.Hour)
		check("when a redelivered one is past its", 1, n-1)
		publish("pending", 5)
		time.Sleep(300 * time.Hour)
		check("when all but the pending are past theirs", n-1, 5)
		if err := s.DeleteSubscription(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		check("when the subscription is gone", 0, 0)
		if s.Events() != 0 {
			t.Errorf("%d events are left that are for nobody", s.Events())
		}
	})
}
