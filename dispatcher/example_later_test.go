package dispatcher_test

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// quiet returns a dispatcher for an example that delivers nothing.
func quiet() *dispatcher.Dispatcher {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// A reminder goes out tomorrow, and a code for signing in is worth nothing after ten minutes.
func ExampleDispatcher_Publish_later() {
	d, ctx := quiet(), context.Background()
	if _, err := d.Subscribe(ctx, store.Subscription{URL: "https://customer.example/hook"}); err != nil {
		log.Fatal(err)
	}
	reminder, err := events.New("trial.ending", 7)
	if err != nil {
		log.Fatal(err)
	}
	reminder.NotBefore = time.Now().Add(24 * time.Hour)
	code, err := events.New("login.code", "4711")
	if err != nil {
		log.Fatal(err)
	}
	code.ExpiresAt = time.Now().Add(10 * time.Minute)
	stale, err := events.New("login.code", "0815")
	if err != nil {
		log.Fatal(err)
	}
	stale.ExpiresAt = time.Now().Add(-time.Second) // the host was down for a while
	if err := d.Publish(ctx, reminder, code, stale); err != nil {
		log.Fatal(err)
	}
	page, err := d.Deliveries(ctx, store.DeliveryQuery{})
	if err != nil {
		log.Fatal(err)
	}
	for _, delivery := range page.Items { // newest first
		why := cmp.Or(string(delivery.Wait), delivery.LastError)
		fmt.Printf("%s is %s: %s\n", delivery.EventType, delivery.State, why)
	}
	// Output:
	// login.code is canceled: expired
	// login.code is pending: due
	// trial.ending is pending: not_before
}

// Webhooks have labels of their owner's, and events have tags of the host's; both are searched.
func ExampleDispatcher_Subscriptions() {
	d, ctx := quiet(), context.Background()
	for _, team := range []string{"billing", "support"} {
		_, err := d.Subscribe(ctx, store.Subscription{
			URL:         "https://" + team + ".example/hook",
			Description: "Asked for by the people of " + team,
			Metadata:    map[string]string{"team": team},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	event, err := events.New("invoice.paid", 4711)
	if err != nil {
		log.Fatal(err)
	}
	event.Tags = []string{"vip", "order:17"}
	if err := d.Publish(ctx, event); err != nil {
		log.Fatal(err)
	}
	hooks, err := d.Subscriptions(ctx, store.SubscriptionQuery{
		Metadata: map[string]string{"team": "billing"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, hook := range hooks.Items {
		fmt.Println(hook.URL, "-", hook.Description)
	}
	tagged, err := d.Deliveries(ctx, store.DeliveryQuery{Tag: "vip", Count: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tagged.Total, "deliveries of vip events")
	// Output:
	// https://billing.example/hook - Asked for by the people of billing
	// 2 deliveries of vip events
}
