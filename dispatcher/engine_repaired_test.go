package dispatcher_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// TestRepairedEndpointNeedNotWait has an endpoint down for six hours, after which the next probe is
// minutes away. When it works again, each of these calls has all that is pending delivered at once.
func TestRepairedEndpointNeedNotWait(t *testing.T) {
	for name, tell := range map[string]func(*testing.T, *engine, string){
		"ping": func(t *testing.T, e *engine, id string) {
			if got, err := e.Ping(t.Context(), id); err != nil || got.Status != 200 {
				t.Errorf("Ping: %+v, %v, want 200", got, err)
			}
		},
		"redeliver": func(t *testing.T, e *engine, id string) {
			if err := e.Redeliver(t.Context(), id, e.deliveries()[0].EventID); err != nil {
				t.Error(err)
			}
		},
		"replay": func(t *testing.T, e *engine, id string) {
			if _, err := e.Replay(t.Context(),
				store.DeliveryQuery{SubscriptionID: id, States: []store.State{store.Pending}}); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter})
				sub := e.subscribe("https://a.example/hook")
				e.status(http.StatusServiceUnavailable)
				e.run()
				const n = 60
				for i := range n {
					e.publish("order.created", i)
					pass(6 * time.Minute)
				}
				stats, err := e.SubscriptionStats(t.Context(), sub.ID)
				if wait := time.Until(stats.NextProbeAt); err != nil || wait <= 0 || stats.Pending != n {
					t.Fatalf("got %+v, %v; want all pending, and some time to the next probe", stats, err)
				}
				if _, err := e.Ping(t.Context(), sub.ID); err != nil {
					t.Fatal(err)
				}
				settle()
				if again, err := e.SubscriptionStats(t.Context(), sub.ID); err != nil ||
					!again.NextProbeAt.Equal(stats.NextProbeAt) {
					t.Errorf("a ping that failed: got %+v, %v; want it held as before", again, err)
				}

				e.status(200)
				tell(t, e, sub.ID)
				pass(time.Second)
				stats, err = e.SubscriptionStats(t.Context(), sub.ID)
				if err != nil || stats.Breaker != dispatcher.BreakerClosed || stats.Pending > 12 {
					t.Errorf(
						"a second later: got %+v, %v; want a closed breaker, and pending what has been tried "+
							"before at most", stats, err)
				}
			})
		})
	}
}
