package dispatchertest_test

import (
	"fmt"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
)

// An endpoint that fails once gets the event again: the body of a host's test.
func Example() {
	test := func(t testing.TB) {
		d, r := dispatchertest.New(t, nil)
		acme := r.SubscribeFor("acme", "order.*")
		acme.Answer(500)

		e, err := events.New("order.created", map[string]string{"item": "tea"})
		if err != nil {
			t.Fatal(err)
		}
		e.Tenant = "acme"
		if err := d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}

		r.WaitIdle()
		for _, got := range acme.All() {
			fmt.Printf("attempt %d of %s %s: %d\n", got.Attempt, got.Type, got.Payload, got.Status)
		}
	}
	run(test)
	// Output:
	// attempt 1 of order.created {"item":"tea"}: 500
	// attempt 2 of order.created {"item":"tea"}: 200
}

// Each tenant has its own endpoint, and gets its own events.
func ExampleReceiver_SubscribeFor() {
	run(func(t testing.TB) {
		d, r := dispatchertest.New(t, &dispatcher.Options{
			EventTypes: []events.Type{{Name: "order.created"}},
		})
		acme, best := r.SubscribeFor("acme"), r.SubscribeFor("best")
		for _, tenant := range []string{"acme", "best", "best"} {
			e, err := events.New("order.created", tenant)
			if err != nil {
				t.Fatal(err)
			}
			e.Tenant = tenant
			if err := d.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		r.WaitIdle()
		fmt.Println(len(acme.All()), "for acme,", len(best.All()), "for best")
	})
	// Output: 1 for acme, 2 for best
}
