package dispatcher_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// A query that is out of its bounds, contradicts itself, or has what would have no effect, is an
// error that names the field, and not a page of something else.
func TestBadQueries(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{})
		now := time.Now()
		wrong := func(call, field string, err error) {
			t.Helper()
			var invalid *events.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != field || invalid.Reason == "" {
				t.Errorf("%s: got %v, want an *events.InvalidError of %s", call, err, field)
			}
		}
		both := map[string]store.DeliveryQuery{
			"states": {States: []store.State{store.Dead, "done"}},
			"since":  {Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
			"until":  {Since: now, Until: now},
			"tenant": {Tenant: "acme", AnyTenant: true},
		}
		for field, q := range both {
			_, err := e.Deliveries(t.Context(), q)
			wrong("Deliveries", field, err)
			_, err = e.Replay(t.Context(), q)
			wrong("Replay", field, err)
			_, err = e.ReplayCount(t.Context(), q)
			wrong("ReplayCount", field, err)
		}
		for field, q := range map[string]store.DeliveryQuery{
			"limit": {Limit: -1}, "cursor": {Cursor: "?"},
		} {
			_, err := e.Deliveries(t.Context(), q)
			wrong("Deliveries", field, err)
		}
		for field, q := range map[string]store.DeliveryQuery{
			"limit": {Limit: 7}, "cursor": {Cursor: "?"}, "count": {Count: true},
		} {
			_, err := e.Replay(t.Context(), q)
			wrong("Replay", field, err)
			_, err = e.ReplayCount(t.Context(), q)
			wrong("ReplayCount", field, err)
		}
		for field, q := range map[string]store.SubscriptionQuery{
			"limit": {Limit: -1}, "cursor": {Cursor: "?"}, "tenant": {Tenant: "acme", AnyTenant: true},
		} {
			_, err := e.Subscriptions(t.Context(), q)
			wrong("Subscriptions", field, err)
		}
	})
}
