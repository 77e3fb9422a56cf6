package dispatcher_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Two plans, and what customers may set by themselves.
func ExampleOptions_policy() {
	plans := map[string]string{"acme": "enterprise", "joe": "free"}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		MaxTimeout: time.Minute,
		OwnerMay:   dispatcher.OwnerBounds{Timeout: 30 * time.Second, Rate: 100},
		Policy: func(sub store.Subscription) dispatcher.Policy {
			switch plans[sub.Tenant] {
			case "free":
				return dispatcher.Policy{Rate: 1, Backoff: dispatcher.Backoff{MaxAttempts: 5}}
			case "enterprise":
				return dispatcher.Policy{Timeout: time.Minute, PerSubscription: 64}
			}
			return dispatcher.Policy{}
		},
	})
	if err != nil {
		panic(err)
	}
	for _, sub := range []store.Subscription{
		{Tenant: "acme"},
		{Tenant: "joe"},
		{Tenant: "joe", Rate: 0.1, Timeout: 20 * time.Second}, // as its owner wants it
		{Tenant: "jane"},
	} {
		p, err := d.PolicyOf(sub)
		if err != nil {
			panic(err)
		}
		fmt.Println(sub.Tenant, p.Timeout, p.Backoff.MaxAttempts, p.Rate, p.PerSubscription)
	}
	_, err = d.Subscribe(context.Background(), store.Subscription{
		Tenant: "joe", URL: "https://joe.example/hook", Timeout: time.Hour,
	})
	fmt.Println(err)
	// Output:
	// acme 1m0s 12 0 64
	// joe 15s 5 1 16
	// joe 20s 5 0.1 16
	// jane 15s 12 0 16
	// timeout_seconds is 3600; give 0.1 to 30
}

// An endpoint wants a user's name and password, which the host keeps.
func ExampleBasicAuth() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Println("the endpoint gets", user, password)
	}))
	defer endpoint.Close()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Authenticate: func(context.Context, store.Subscription, http.Header) (http.Header, error) {
			return dispatcher.BasicAuth("outhook", "open sesame"), nil // those of the subscription
		},
		AllowLoopback: true, // for this example
	})
	if err != nil {
		panic(err)
	}
	sub, err := d.Subscribe(context.Background(), store.Subscription{URL: endpoint.URL})
	if err != nil {
		panic(err)
	}
	if _, err := d.Ping(context.Background(), sub.ID); err != nil {
		panic(err)
	}
	// Output: the endpoint gets outhook open sesame
}

// An endpoint demands a client certificate, and has a certificate of a private authority itself.
func ExampleOptions_tls() {
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Println("the endpoint sees", r.TLS.PeerCertificates[0].Subject.Organization)
		}))
	endpoint.Config.ErrorLog = log.New(io.Discard, "", 0)
	endpoint.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	endpoint.StartTLS()
	defer endpoint.Close()

	authority := x509.NewCertPool()
	authority.AddCert(endpoint.Certificate())
	ours := &tls.Config{ // one for each identity, and the same pointer as long as it is the same
		RootCAs:      authority,
		Certificates: endpoint.TLS.Certificates, // the host's own, in its place
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		TLS: func(sub store.Subscription) *tls.Config {
			if sub.Tenant == "bank" {
				return ours
			}
			return nil
		},
		AllowLoopback: true, // for this example
	})
	if err != nil {
		panic(err)
	}
	for _, tenant := range []string{"bank", "another"} {
		sub, err := d.Subscribe(context.Background(),
			store.Subscription{Tenant: tenant, URL: endpoint.URL})
		if err != nil {
			panic(err)
		}
		attempt, err := d.Ping(context.Background(), sub.ID)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %d %q\n", tenant, attempt.Status, attempt.Error)
	}
	// Output:
	// the endpoint sees [Acme Co]
	// bank: 200 ""
	// another: 0 "tls: the certificate is not good: nobody who is trusted has signed it"
}

// An endpoint that is given up says so, and gets nothing any more.
func ExampleOptions_receiverSteers() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("webhook-delivery", "disable")
	}))
	defer endpoint.Close()
	disabled := make(chan store.Subscription, 1)
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		ReceiverSteers: true,
		Observer: &dispatcher.Observer{
			OnDisabled: func(sub store.Subscription) { disabled <- sub },
		},
		Logger:        slog.New(slog.DiscardHandler),
		AllowLoopback: true, // for this example
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	if _, err := d.Subscribe(ctx, store.Subscription{URL: endpoint.URL}); err != nil {
		panic(err)
	}
	event, err := events.New("order.created", map[string]int{"order": 4711})
	if err == nil {
		err = d.Publish(ctx, event)
	}
	if err != nil {
		panic(err)
	}
	sub := <-disabled
	fmt.Println(sub.Status, "because", sub.DisabledReason)
	cancel()
	running.Wait()
	// Output: Unsubscribed because the endpoint has asked to be unsubscribed
}
