package dispatcher_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A webhook without a URL is read by poll. The cursor of an answer acknowledges it.
func ExampleDispatcher_Poll() {
	ctx := context.Background()
	key := signing.NewSecret()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowPull: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	sub, err := d.Subscribe(ctx, store.Subscription{Secrets: []signing.Secret{key}})
	if err != nil {
		panic(err)
	}
	for n := range 3 {
		e, err := events.New("order.created", map[string]int{"n": n})
		if err == nil {
			err = d.Publish(ctx, e)
		}
		if err != nil {
			panic(err)
		}
	}

	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	q := dispatcher.PollRequest{SubscriptionID: sub.ID, Max: 2}
	for {
		got, err := d.Poll(ctx, q)
		if err != nil {
			panic(err)
		}
		if len(got.Deliveries) == 0 {
			break
		}
		for _, delivery := range got.Deliveries {
			fmt.Println(delivery.EventType, verifier.Verify(delivery.Header, delivery.Body))
		}
		q.Cursor = got.Cursor
	}
	stats, err := d.Stats(ctx)
	fmt.Println(stats.Delivered, stats.Pending, err)
	// Output:
	// order.created <nil>
	// order.created <nil>
	// order.created <nil>
	// 3 0 <nil>
}
