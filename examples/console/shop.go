package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// shop is what the host is about: it takes orders, and tells its customers of them.
type shop struct {
	store     *boltstore.Store
	webhooks  *dispatcher.Dispatcher
	endpoints *http.Server // of the customers
	stop      func()       // ends what runs in the background, and waits for it
}

// types is the catalogue.
var types = []events.Type{
	{Name: "order.created", Description: "A customer has placed an order.",
		Example: []byte(`{"order":4711,"total":"19.90","currency":"EUR"}`)},
	{Name: "order.paid", Description: "The payment of an order has arrived.",
		Example: []byte(`{"order":4711,"paid":"19.90","currency":"EUR"}`)},
}

// openShop opens the store and begins to publish and to deliver.
func openShop(ctx context.Context, file string) (*shop, error) {
	s := &shop{}
	var err error
	if s.store, err = boltstore.Open(file, nil); err != nil {
		return nil, err
	}
	s.webhooks, err = dispatcher.New(s.store, &dispatcher.Options{
		EventTypes:    types,
		AllowLoopback: true, // where the endpoints are; refused by default
		Success:       dispatcher.Any2xx,
		AttemptDetail: dispatcher.DetailOfAll,
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = s.subscribe(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	// Not ctx: orders that are taken while the server stops are published too.
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.webhooks.Run(background) }) // nil after its context has ended
	running.Go(func() { s.takeOrders(background) })
	s.stop = func() { cancel(); running.Wait() }
	return s, nil
}

// close stops publishing, lets deliveries that are under way finish, and closes the store.
func (s *shop) close() error {
	s.stop()
	return errors.Join(s.endpoints.Close(), s.store.Close())
}

// subscribe starts the endpoints of the customers, and makes a webhook for each. Their addresses
// are others at each start.
func (s *shop) subscribe(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.endpoints = &http.Server{Handler: endpoints(), ReadHeaderTimeout: 10 * time.Second}
	go s.endpoints.Serve(listener)
	base := "http://" + listener.Addr().String()
	for _, tenant := range []string{"acme", "globex"} {
		for _, w := range []struct{ name, path string }{
			{"CRM", "/good"}, {"Warehouse", "/flaky"}, {"Old importer", "/gone"},
		} {
			_, err := s.webhooks.Subscribe(ctx, store.Subscription{
				// With an ID of its own, a webhook that is there already is changed.
				ID:     uuid.NewSHA1(uuid.NameSpaceURL, []byte(tenant+w.path)).String(),
				Tenant: tenant, Name: tenant + " " + w.name, URL: base + w.path,
				Secrets: []signing.Secret{signing.NewSecret()},
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// takeOrders publishes an order of each customer every second.
func (s *shop) takeOrders(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for number := 1; ; number++ {
		for _, tenant := range []string{"acme", "globex"} {
			e, err := events.New(types[number%len(types)].Name, map[string]any{
				"order": number, "total": fmt.Sprintf("%d.90", rand.IntN(100)), "currency": "EUR",
			})
			if err == nil {
				e.Tenant = tenant
				err = s.webhooks.Publish(ctx, e)
			}
			if err != nil && ctx.Err() == nil {
				slog.Error("an order was not published", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// endpoints are the servers of the customers: one that works, one that fails now and then, and one
// that is gone for good.
func endpoints() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "thanks") })
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, _ *http.Request) {
		if rand.IntN(3) == 0 {
			http.Error(w, "out of memory", http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "moved away", http.StatusGone)
	})
	return mux
}
