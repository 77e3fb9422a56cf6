// Package busy makes a host with much going on and three days behind it: five tenants with fifty
// webhooks in every state, and as many deliveries as a caller asks for. It is for looking at the
// console's pages, and for tests of them.
//
// The past is no invention. A Dispatcher with a store in a file lives through it in a bubble of
// testing/synctest, in which three days take seconds, so that all that pages show is what really
// became of the events. Another then goes on from the same file, outside of the bubble.
package busy

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// Tenants are those of a Host.
var Tenants = []string{"acme", "globex", "initech", "stark", "umbrella"}

// Order is the ID of an event that each tenant has: one of half an hour ago.
const Order = "order-4711"

// Host is a dispatcher that delivers to endpoints of many kinds.
type Host struct {
	*dispatcher.Dispatcher
	stop func()
}

// Close stops delivering.
func (h *Host) Close() { h.stop() }

// New starts a Host whose past has about so many deliveries. The past runs as a part of the test;
// the Host lives on until Close. Its file is in dir.
func New(t *testing.T, dir string, deliveries int) (*Host, error) {
	t.Helper()
	path := filepath.Join(dir, "busy.db")
	// Truncate drops the monotonic reading, which bubbles don't have.
	network := newNetwork(time.Now().Truncate(time.Second))
	liveThrough(t, path, network, deliveries)
	s, err := boltstore.Open(path, nil)
	if err != nil {
		return nil, err
	}
	if err := addUnreadable(s); err != nil {
		return nil, err
	}
	d, err := newDispatcher(s, network)
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.Run(run)
	}()
	h := &Host{d, func() { cancel(); <-done; _ = s.Close() }}
	for range 7 { // a tenant that somebody has forgotten to subscribe
		if err := d.Publish(run, newEvent("hooli", "order.created", 1)); err != nil {
			h.Close()
			return nil, err
		}
	}
	return h, nil
}

func newDispatcher(s store.Store, n *network) (*dispatcher.Dispatcher, error) {
	return dispatcher.New(s, &dispatcher.Options{
		Transport: n, EventTypes: Types(), Logger: slog.New(slog.DiscardHandler),
		Backoff:       dispatcher.Backoff{Initial: 2 * time.Minute, Max: 4 * time.Hour, MaxAttempts: 8},
		Success:       dispatcher.Any2xx,
		Final:         func(status int) bool { return status == 422 },
		AttemptDetail: dispatcher.DetailOfAll,
	})
}

// addUnreadable adds a webhook that was sealed with a key that the host has lost.
func addUnreadable(s store.Store) error {
	_, err := s.CreateSubscription(context.Background(), store.Subscription{
		ID: uuid.NewString(), Tenant: "initech", Name: "Ledger",
		URL: "https://ledger.initech.example/hooks/in", Events: []string{"report.ready"},
		Status: store.Subscribed, SealedWith: "vault-2024",
	})
	return err
}

// Live goes on publishing, about as much as in the past, until ctx ends.
func (h *Host) Live(ctx context.Context) {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_ = h.Publish(ctx, newEvent(Tenants[rand.IntN(len(Tenants))], someType(), i))
	}
}

// someType is one of the types that are published.
func someType() string {
	n := rand.IntN(100)
	for _, t := range Types() {
		if n -= often[t.Name]; n < 0 {
			return t.Name
		}
	}
	return "order.created"
}

// newEvent is an event such as a shop has.
func newEvent(tenant, eventType string, n int) events.Event {
	customer := fmt.Sprintf("c-%d", rand.IntN(4000))
	order := fmt.Sprint(20000 + n)
	e, err := events.New(eventType, map[string]any{
		"id": order, "currency": "EUR",
		"total":    fmt.Sprintf("%d.%02d", 5+rand.IntN(300), rand.IntN(100)),
		"customer": map[string]string{"id": customer, "name": "Grace Hopper"},
	})
	if err != nil {
		panic(err) // it is JSON
	}
	e.Tenant, e.Key = tenant, customer
	return e
}
