package store_test

import (
	"context"
	"fmt"
	"log"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Pages of a listing follow one another by their cursors.
func ExamplePage() {
	s, ctx := memstore.New(), context.Background()
	_, err := s.CreateSubscription(ctx, store.Subscription{
		ID:  "3e639566-29fa-450d-a59f-ae3c25d7260f",
		URL: "https://customer.example/hook", Status: store.Subscribed,
	})
	if err != nil {
		log.Fatal(err)
	}
	for n := range 5 {
		e, err := events.New("order.created", n)
		if err == nil {
			err = s.Enqueue(ctx, e)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	q := store.DeliveryQuery{States: []store.State{store.Pending}, Limit: 2}
	for {
		page, err := s.Deliveries(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Items))
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	// Output:
	// 2
	// 2
	// 1
}

// The error of an attempt begins with its class.
func ExampleHasClass() {
	fmt.Println(store.HasClass("timeout: no answer within 15s", "timeout"))
	fmt.Println(store.HasClass("timeout: no answer within 15s", "time"))
	// Output:
	// true
	// false
}
