package dispatcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A customer subscribes, the host publishes, and the event arrives, signed.
func Example() {
	key := signing.NewSecret()
	arrived := make(chan string, 1)
	receive := func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Type    string
			Payload struct{ Item string }
		}
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			log.Fatal(err)
		}
		arrived <- e.Type + ": " + e.Payload.Item
	}
	customer := httptest.NewServer(
		signing.Verifier{Keys: []signing.Secret{key}}.Handler(http.HandlerFunc(receive)))
	defer customer.Close()

	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{ // or boltstore.Open
		AllowLoopback: true, // the customer is on this machine
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Run(ctx) }()

	_, err = d.Subscribe(ctx, store.Subscription{
		URL: customer.URL, Events: []string{"order.*"}, Secrets: []signing.Secret{key},
	})
	if err != nil {
		log.Fatal(err)
	}
	e, err := events.New("order.created", map[string]string{"item": "tea"})
	if err != nil {
		log.Fatal(err)
	}
	if err := d.Publish(ctx, e); err != nil { // nil: it will be delivered
		log.Fatal(err)
	}
	fmt.Println(<-arrived)
	stop()
	fmt.Println("stopped:", <-stopped)
	// Output:
	// order.created: tea
	// stopped: <nil>
}

// customer is an endpoint in place of the network, which answers with statuses.
type customer func(*http.Request) int

func (c customer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c(r), Body: http.NoBody, Request: r}, nil
}

// running returns a dispatcher that runs until stop is called, with one subscription to a customer.
func running(c customer, o dispatcher.Options) (
	d *dispatcher.Dispatcher, sub store.Subscription, stop func(),
) {
	o.Transport, o.Logger = c, slog.New(slog.DiscardHandler)
	d, err := dispatcher.New(memstore.New(), &o)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Run(ctx) }()
	sub, err = d.Subscribe(ctx, store.Subscription{URL: "https://customer.example/hook"})
	if err != nil {
		log.Fatal(err)
	}
	return d, sub, func() { cancel(); <-stopped }
}

// publish publishes an order, and returns its ID.
func publish(d *dispatcher.Dispatcher, item string) string {
	e, err := events.New("order.created", item)
	if err == nil {
		err = d.Publish(context.Background(), e)
	}
	if err != nil {
		log.Fatal(err)
	}
	return e.ID
}

// A delivery that fails is tried again, here twice.
func ExampleBackoff() {
	statuses := []int{503, 500, 200}
	c := func(r *http.Request) (status int) {
		status, statuses = statuses[0], statuses[1:]
		return status
	}
	delivered := make(chan struct{})
	d, sub, stop := running(c, dispatcher.Options{
		Backoff:  dispatcher.Backoff{Initial: time.Millisecond}, // 5 s, and then × 4, if it is zero
		Observer: &dispatcher.Observer{OnDelivered: func(dispatcher.Info) { close(delivered) }},
	})
	defer stop()
	id := publish(d, "tea")
	<-delivered
	attempts, err := d.Attempts(context.Background(), sub.ID, id)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range attempts {
		fmt.Printf("attempt %d: %d %q\n", a.Number, a.Status, dispatcher.ErrorClass(a.Error))
	}
	// Output:
	// attempt 1: 503 "http_status"
	// attempt 2: 500 "http_status"
	// attempt 3: 200 ""
}

// What an endpoint refused is sent again once it is repaired.
func ExampleDispatcher_Replay() {
	broken := true
	c := func(*http.Request) int {
		if broken {
			return http.StatusBadRequest
		}
		return http.StatusOK
	}
	ended := make(chan store.State)
	d, sub, stop := running(c, dispatcher.Options{
		Final: func(status int) bool { return status == http.StatusBadRequest },
		Observer: &dispatcher.Observer{
			OnDead:      func(i dispatcher.Info) { ended <- i.State },
			OnDelivered: func(i dispatcher.Info) { ended <- i.State },
		},
	})
	defer stop()
	publish(d, "tea")
	publish(d, "coffee")
	fmt.Println(<-ended, <-ended)

	broken = false
	n, err := d.Replay(context.Background(), store.DeliveryQuery{
		SubscriptionID: sub.ID, States: []store.State{store.Dead},
	})
	fmt.Println(n, "replayed", err)
	fmt.Println(<-ended, <-ended)
	// Output:
	// dead dead
	// 2 replayed <nil>
	// delivered delivered
}

// While a receiver learns a new key, a delivery is signed with both.
func ExampleDispatcher_RotateSecret() {
	var header http.Header
	var body []byte
	c := func(r *http.Request) int {
		header = r.Header
		body, _ = io.ReadAll(r.Body) // it is in memory
		return http.StatusOK
	}
	d, sub, stop := running(c, dispatcher.Options{})
	defer stop()
	ctx := context.Background()
	old, err := d.RotateSecret(ctx, sub.ID, "", 0) // its first key
	if err != nil {
		log.Fatal(err)
	}
	rotated, err := d.RotateSecret(ctx, sub.ID, "", 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := d.Ping(ctx, sub.ID); err != nil {
		log.Fatal(err)
	}
	for _, key := range []signing.Secret{old.NewestKey(), rotated.NewestKey(), signing.NewSecret()} {
		fmt.Println(signing.Verifier{Keys: []signing.Secret{key}}.Verify(header, body))
	}
	// Output:
	// <nil>
	// <nil>
	// signing: signature does not match
}

// A paused webhook misses nothing: what is published meanwhile goes out when it resumes.
func ExampleDispatcher_Pause() {
	delivered := make(chan string, 1)
	d, sub, stop := running(func(*http.Request) int { return http.StatusOK }, dispatcher.Options{
		Observer: &dispatcher.Observer{
			OnDelivered: func(i dispatcher.Info) { delivered <- i.EventType },
		},
	})
	defer stop()
	ctx := context.Background()
	if _, err := d.Pause(ctx, sub.ID); err != nil {
		log.Fatal(err)
	}
	publish(d, "tea")
	stats, err := d.SubscriptionStats(ctx, sub.ID)
	fmt.Println(stats.Pending, "pending", err)
	if _, err := d.Resume(ctx, sub.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-delivered)
	// Output:
	// 1 pending <nil>
	// order.created
}

// Who got an event, and why another did not.
func ExampleDispatcher_Event() {
	delivered := make(chan struct{})
	d, _, stop := running(func(*http.Request) int { return http.StatusOK }, dispatcher.Options{
		Observer: &dispatcher.Observer{OnDelivered: func(dispatcher.Info) { close(delivered) }},
	})
	defer stop()
	ctx := context.Background()
	_, err := d.Subscribe(ctx, store.Subscription{
		URL: "https://accounting.example/hook", Events: []string{"invoice.*"},
	})
	if err != nil {
		log.Fatal(err)
	}
	id := publish(d, "tea")
	<-delivered
	report, err := d.Event(ctx, dispatcher.EventQuery{EventID: id})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range report.Subscriptions {
		if s.Delivery != nil {
			fmt.Println(s.Subscription.URL, s.Delivery.State)
		} else {
			fmt.Println(s.Subscription.URL, "missed:", s.Missed)
		}
	}
	// Output:
	// https://customer.example/hook delivered
	// https://accounting.example/hook missed: type
}

// What an event carried is erased from the history, which keeps that it was sent.
func ExampleDispatcher_Erase() {
	delivered := make(chan struct{})
	d, _, stop := running(func(*http.Request) int { return http.StatusOK }, dispatcher.Options{
		Observer: &dispatcher.Observer{OnDelivered: func(dispatcher.Info) { close(delivered) }},
	})
	defer stop()
	ctx := context.Background()
	id := publish(d, "a gift for Ada Lovelace")
	<-delivered
	if err := d.Erase(ctx, "", id); err != nil {
		log.Fatal(err)
	}
	report, err := d.Event(ctx, dispatcher.EventQuery{EventID: id})
	if err != nil {
		log.Fatal(err)
	}
	one := report.Subscriptions[0].Delivery
	fmt.Printf("%s, erased: %v, body: %q\n", one.State, one.Erased, report.Event.Body)
	// Output: delivered, erased: true, body: ""
}

// A function of the host decides who gets what.
func ExampleOptions_filter() {
	ended := make(chan string)
	d, _, stop := running(func(*http.Request) int { return http.StatusOK }, dispatcher.Options{
		Filter: func(_ store.Subscription, e events.Event) bool { // patterns and filters are cheaper
			return string(e.Payload) == `"tea"`
		},
		Observer: &dispatcher.Observer{
			OnDelivered: func(i dispatcher.Info) { ended <- string(i.State) },
			OnCanceled:  func(c dispatcher.Cancellation) { ended <- c.Reason },
		},
	})
	defer stop()
	publish(d, "tea")
	fmt.Println(<-ended)
	publish(d, "coffee")
	fmt.Println(<-ended)
	// Output:
	// delivered
	// filtered
}
