package dispatcher_test

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A webhook gets the orders above 100, and of each the number and the total. A filter can be tried
// on recent events before it is saved.
func ExampleDispatcher_TestFilter() {
	ctx := context.Background()
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Somebody gets all orders, so that there are recent ones.
	_, err = d.Subscribe(ctx, store.Subscription{URL: "https://all.example/webhook"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, total := range []float64{99.5, 120.5} {
		ev, err := events.New("order.created", map[string]any{
			"order": map[string]any{"id": 7, "total": total, "note": "…"},
		})
		if err == nil {
			err = d.Publish(ctx, ev)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}

	sub := store.Subscription{
		URL:    "https://large.example/webhook",
		Filter: `{"order.total": {"$gte": 100}}`,
		Fields: []string{"order.id", "order.total"},
	}
	tests, err := d.TestFilter(ctx, sub)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range tests {
		fmt.Println(t.Takes, string(t.Payload))
	}
	_, err = d.Subscribe(ctx, sub)
	fmt.Println(err)

	_, err = d.Subscribe(ctx, store.Subscription{
		URL: "https://large.example/webhook", Filter: `{"order.total": {"$gte": true}}`,
	})
	fmt.Println(err)
	// Output:
	// true {"order":{"id":7,"total":120.5}}
	// false {"order":{"id":7,"total":99.5}}
	// <nil>
	// filter at "/order.total/$gte" is neither a number nor a string; give one of them
}
