package dispatcher_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// TestRecoveryRampsUp has an endpoint come back with a backlog: one probe, and then ever more at
// once as they succeed, up to PerSubscription.
func TestRecoveryRampsUp(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const atOnce, queued = 16, 500
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: atOnce, Backoff: noJitter})
		e.status(http.StatusServiceUnavailable)
		e.subscribe("https://a.example/hook")
		e.run()
		publishMany(t, e, "order.created", queued)
		pass(10 * time.Minute)

		var mu sync.Mutex
		ramp := []int{1, 1, 1, 1, 1, 1, 2, 4, 8, atOnce} // by how many have succeeded
		inFlight, most, succeeded := 0, 0, 0
		e.answers(func(request) reply {
			mu.Lock()
			inFlight++
			most = max(most, inFlight)
			// The first success leaves store.MaxSlowStart to go, each further one takes one off.
			limit := ramp[min(succeeded, len(ramp)-1)]
			if inFlight > limit {
				t.Errorf("%d at once after %d successes, want %d at most", inFlight, succeeded, limit)
			}
			mu.Unlock()
			<-time.After(50 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			inFlight--
			succeeded++
			return reply{Status: 200}
		})
		pass(24 * time.Hour)
		if n := e.states(); n[store.Delivered] != queued {
			t.Errorf("states are %v, want all %d delivered", n, queued)
		}
		if most != atOnce {
			t.Errorf("at most %d at once, want %d in the end", most, atOnce)
		}
	})
}
