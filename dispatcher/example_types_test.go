package dispatcher_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A catalogue in which a type is deprecated, and another one is for some tenants alone.
func ExampleOptions_typeVisible() {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		EventTypes: []events.Type{
			{Name: "order.placed", Version: "2"},
			{Name: "order.created", Version: "1", Deprecated: "Use order.placed; it ends in 2027."},
			{Name: "forecast.made"},
		},
		TypeVisible: func(tenant, eventType string) bool {
			return eventType != "forecast.made" || tenant == "early-adopter"
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range d.EventTypesFor("acme") {
		fmt.Printf("%s version %s %q\n", t.Name, t.Version, t.Deprecated)
	}
	_, err = d.Subscribe(context.Background(), store.Subscription{
		Tenant: "acme", URL: "https://acme.example/hook", Events: []string{"forecast.made"},
	})
	fmt.Println(err != nil)
	// Output:
	// order.placed version 2 ""
	// order.created version 1 "Use order.placed; it ends in 2027."
	// true
}

// A subscription whose receiver wants CloudEvents, signed with Ed25519.
func ExampleOptions_cloudEvents() {
	sent := make(chan *http.Request, 1)
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		CloudEvents: func(sub store.Subscription) cloudevents.Format {
			return cloudevents.Format{Mode: cloudevents.Structured, Source: "https://shop.example/"}
		},
		Transport: endpoint(func(r *http.Request) { sent <- r }),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := signing.NewEd25519Secret()
	sub, err := d.Subscribe(context.Background(), store.Subscription{
		URL: "https://acme.example/hook", Secrets: []signing.Secret{key},
	})
	if err == nil {
		_, err = d.Ping(context.Background(), sub.ID)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	v := signing.Verifier{PublicKeys: []signing.PublicKey{key.Public()}}
	v.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("verified", r.Header.Get("Content-Type"))
	})).ServeHTTP(nil, <-sent)
	// Output:
	// verified application/cloudevents+json; charset=utf-8
}

// endpoint is a transport that answers 200.
type endpoint func(*http.Request)

func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e(r)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
