package dispatcher_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// The steps of a replay are bounded, together of everything that matched when the first began, and
// of nothing that was published since.
func TestReplayStep(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1, MaxAttempts: 1}})
		e.status(http.StatusInternalServerError)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		const dead = 7
		for i := range dead {
			e.publish("order.created", i)
		}
		pass(time.Hour)
		if n := e.states(); n[store.Dead] != dead {
			t.Fatalf("states are %v, want %d dead", n, dead)
		}
		e.status(200)
		q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: 3}
		var later events.Event
		replayed, steps := 0, 0
		for {
			got, err := e.ReplayStep(t.Context(), q)
			if err != nil || got.Replayed > q.Limit {
				t.Fatalf("step %d: got %+v, %v, want at most %d", steps+1, got, err, q.Limit)
			}
			if replayed, steps = replayed+got.Replayed, steps+1; steps == 1 {
				pass(5 * time.Minute)
				later = e.publish("order.created", dead)
				pass(time.Minute)
			}
			if q.Cursor = got.Next; q.Cursor == "" {
				break
			}
		}
		pass(time.Minute)
		if replayed != dead || steps < 3 {
			t.Errorf("replayed %d in %d steps, want %d in 3 at least", replayed, steps, dead)
		}
		attempts, err := e.Attempts(t.Context(), sub.ID, later.ID)
		if err != nil || len(attempts) != 1 {
			t.Errorf("an event published since the first step: %d attempts, %v, want one",
				len(attempts), err)
		}
		if n := e.states(); n[store.Delivered] != dead+1 {
			t.Errorf("states are %v, want all delivered", n)
		}
	})
}

func TestReplayStepQueries(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Quota: func(string) dispatcher.Quota { return dispatcher.Quota{ReplaysPerMinute: 2} },
		})
		all := store.DeliveryQuery{AnyTenant: true}
		for _, cursor := range []string{"x", "zz.", ".abc", "-.abc", "1.abc",
			"99999999999999999999.abc"} {
			q := all
			q.Cursor = cursor
			var invalid *events.InvalidError
			if _, err := e.ReplayStep(t.Context(), q); !errors.As(err, &invalid) ||
				invalid.Field != "cursor" {
				t.Errorf("cursor %s: got %v, want an *events.InvalidError of it", cursor, err)
			}
		}
		for field, q := range map[string]store.DeliveryQuery{
			"count": {AnyTenant: true, Count: true}, "limit": {AnyTenant: true, Limit: -1},
			"tenant": {AnyTenant: true, Tenant: "acme"},
		} {
			var invalid *events.InvalidError
			if _, err := e.ReplayStep(t.Context(), q); !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("got %v, want an *events.InvalidError of %s", err, field)
			}
		}
		for range 5 { // the host's own have no quota
			if _, err := e.ReplayStep(t.Context(), all); err != nil {
				t.Error(err)
			}
		}
		for i, cursor := range []string{"", "", "1.abc"} { // and each of a tenant's counts
			_, err := e.ReplayStep(t.Context(), store.DeliveryQuery{Tenant: "acme", Cursor: cursor})
			var quota *dispatcher.QuotaError
			if errors.As(err, &quota) != (i == 2) {
				t.Errorf("step %d of a tenant: got %v", i+1, err)
			}
		}
	})
}
