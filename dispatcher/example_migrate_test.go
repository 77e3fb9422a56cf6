package dispatcher_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Receivers that were written for Svix, Convoy or Outpost go on as they are: the body is the
// payload alone, any 2xx is a success, and the signatures that they know are sent beside
// webhook-signature.
func ExampleOptions_migration() {
	options := &dispatcher.Options{
		AllowLoopback: true, // the receiver is on this machine
		Logger:        slog.New(slog.DiscardHandler),
		Success:       dispatcher.Any2xx,
		CloudEvents: func(store.Subscription) cloudevents.Format {
			return cloudevents.Format{Mode: cloudevents.Binary, Source: "https://shop.example/"}
		},
		Sign: func(m dispatcher.Message) (http.Header, error) {
			bare := signing.Airy(m.Keys[0], m.Body) // HMAC-SHA256 of the body, in hexadecimal
			return http.Header{
				"svix-id":                  {m.ID},
				"svix-timestamp":           {strconv.FormatInt(m.Time.Unix(), 10)},
				"svix-signature":           {signing.Standard(m.ID, m.Time, m.Body, m.Keys...)},
				"x-convoy-signature":       {bare},
				"x-convoy-idempotency-key": {m.ID},
				"x-outpost-signature":      {"v0=" + bare},
			}, nil
		},
	}

	done := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n", r.Header.Get("Content-Type"), body)
		for _, name := range []string{"Svix-Id", "X-Convoy-Signature", "X-Outpost-Signature"} {
			fmt.Println(name, r.Header.Get(name))
		}
		fmt.Println(r.Header.Get("Svix-Signature") == r.Header.Get("Webhook-Signature"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	d, err := dispatcher.New(memstore.New(), options)
	if err != nil {
		panic(err)
	}
	if _, err := d.Subscribe(ctx, store.Subscription{ // an endpoint, with the key that it has
		Tenant: "acme", URL: receiver.URL, Events: []string{"invoice.paid"},
		Secrets: []signing.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
	}); err != nil {
		panic(err)
	}
	e, err := events.New("invoice.paid", map[string]int{"invoice": 17})
	if err != nil {
		panic(err)
	}
	e.ID, e.Tenant = "msg_p5jXN8AQM9LWM0D4loKWxJek", "acme" // the ID that the other one has sent
	if err := d.Publish(ctx, e); err != nil {
		panic(err)
	}
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	<-done
	stop()
	fmt.Println(<-ended)
	// Output:
	// application/json {"invoice":17}
	// Svix-Id msg_p5jXN8AQM9LWM0D4loKWxJek
	// X-Convoy-Signature 2d1c736574f5b81caf3590c4f281112fe78799a0f199e60d320f53bebba13c12
	// X-Outpost-Signature v0=2d1c736574f5b81caf3590c4f281112fe78799a0f199e60d320f53bebba13c12
	// true
	// <nil>
}
