package dispatcher_test

import (
	"fmt"
	"path"
	"strconv"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// TestFaultStatus has endpoints answer with every status there is: only 200 ends a delivery well,
// and only 410 ends it badly; after all others it is tried again, until the endpoint takes it.
func TestFaultStatus(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.answers(func(r request) reply {
			status, err := strconv.Atoi(path.Base(r.URL))
			if err != nil || r.Attempt > 1 {
				status = 200
			}
			return reply{Status: status}
		})
		status := make(map[string]int) // by subscription
		for n := 200; n <= 599; n++ {
			status[e.subscribe(fmt.Sprintf("https://endpoint.example/%d", n)).ID] = n
		}
		e.run()
		e.publish("order.created", 1)
		pass(500 * time.Millisecond) // a 429 is tried again after a second
		check := func(others store.State) {
			t.Helper()
			all := e.deliveries()
			if len(all) != len(status) {
				t.Errorf("%d deliveries, want %d", len(all), len(status))
			}
			for _, d := range all {
				want := others
				switch status[d.SubscriptionID] {
				case 200:
					want = store.Delivered
				case 410:
					want = store.Dead
				}
				if d.State != want {
					t.Errorf("after a %d the delivery is %s, want it %s", status[d.SubscriptionID], d.State, want)
				}
			}
		}
		check(store.Pending)
		pass(time.Minute)
		check(store.Delivered)
	})
}
