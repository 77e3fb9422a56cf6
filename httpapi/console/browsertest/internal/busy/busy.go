// Package busy makes a host with much going on: five tenants with fifty webhooks in every state and
// thousands of deliveries. It is for looking at the console's pages, and for tests of them.
package busy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Host is a dispatcher that delivers to endpoints of many kinds.
type Host struct {
	*dispatcher.Dispatcher
	stop func()
}

// Close stops delivering.
func (h *Host) Close() { h.stop() }

// Tenants are those of a Host.
var Tenants = []string{"acme", "globex", "initech", "stark", "umbrella"}

// kind is what an endpoint does.
type kind struct {
	host, name string
	types      []string
	answer     func(r *rand.Rand) (status int, body string, err error)
	slow       time.Duration
	off        bool // its owner has disabled it
}

func always(status int, body string) func(*rand.Rand) (int, string, error) {
	return func(*rand.Rand) (int, string, error) { return status, body, nil }
}

func failing(err error) func(*rand.Rand) (int, string, error) {
	return func(*rand.Rand) (int, string, error) { return 0, "", err }
}

// often succeeds so many times of a hundred.
func often(percent int, status int, body string) func(*rand.Rand) (int, string, error) {
	return func(r *rand.Rand) (int, string, error) {
		if r.IntN(100) < percent {
			return http.StatusOK, `{"ok":true}`, nil
		}
		return status, body, nil
	}
}

func kinds() []kind {
	return []kind{
		{host: "crm", name: "CRM", types: []string{"customer.*"}, answer: always(200, "ok")},
		{host: "erp", name: "ERP", answer: often(99, 500, "lock timeout"), slow: 40 * time.Millisecond},
		{host: "warehouse", name: "Warehouse", types: []string{"order.created", "order.shipped"},
			answer: often(90, 503, `{"error":"maintenance"}`), slow: 20 * time.Millisecond},
		{host: "billing", name: "Billing", types: []string{"invoice.*", "order.paid"},
			answer: always(503, `{"error":{"code":"unavailable","retry":true}}`)},
		{host: "analytics", name: "Analytics", answer: always(200, ""), slow: 90 * time.Millisecond},
		{host: "legacy", name: "Legacy importer", types: []string{"order.created"},
			answer: always(410, "gone")},
		{host: "partner", name: "Partner API", types: []string{"order.*"},
			answer: failing(&net.DNSError{Err: "no such host", Name: "partner.example", IsNotFound: true})},
		{host: "slack", name: "Slack bridge", types: []string{"order.refunded"},
			answer: always(200, "ok")},
		{host: "staging", name: "Staging", answer: always(200, "ok"), off: true},
		{host: "reports", name: "Nightly reports", types: []string{"report.ready"},
			answer: always(200, "ok")},
	}
}

// Types is the catalogue of the Host.
func Types() []events.Type {
	var all []events.Type
	for _, t := range [][2]string{
		{"order.created", "A customer has placed an order."},
		{"order.paid", "The payment of an order has arrived."},
		{"order.shipped", "An order has left the warehouse."},
		{"order.refunded", "An order was paid back."},
		{"customer.created", "Somebody has opened an account."},
		{"customer.updated", "A customer's details have changed."},
		{"invoice.finalized", "An invoice is final and was sent."},
		{"report.ready", "A report that was asked for is ready."},
	} {
		all = append(all, events.Type{Name: t[0], Description: t[1],
			Example: []byte(`{"id":"4711","total":"19.90","currency":"EUR"}`)})
	}
	return all
}

// endpoints is the network: it answers by the first word of a URL's host.
type endpoints map[string]kind

// RoundTrip answers a request.
func (e endpoints) RoundTrip(r *http.Request) (*http.Response, error) {
	name, _, _ := strings.Cut(r.URL.Host, ".")
	k := e[name]
	if k.slow > 0 {
		wait := time.NewTimer(time.Duration(rand.Int64N(int64(2*k.slow))) + k.slow/2)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	status, body, err := k.answer(rand.New(rand.NewPCG(rand.Uint64(), 1)))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(body))}, nil
}

// New starts a Host and publishes so many events of each tenant.
func New(ctx context.Context, each int) (*Host, error) {
	network := make(endpoints)
	for _, k := range kinds() {
		network[k.host] = k
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Transport: network, EventTypes: Types(), Logger: slog.New(slog.DiscardHandler),
		Backoff: dispatcher.Backoff{Initial: 2 * time.Minute, Max: 4 * time.Hour, MaxAttempts: 8},
		Success: dispatcher.Any2xx, AttemptDetail: dispatcher.DetailOfAll,
	})
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.Run(run)
	}()
	h := &Host{d, func() { cancel(); <-done }}
	if err := h.fill(ctx, each); err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

// fill makes the webhooks, publishes the events, and waits until what can be delivered is.
func (h *Host) fill(ctx context.Context, each int) error {
	for _, tenant := range Tenants {
		for _, k := range kinds() {
			sub, err := h.Subscribe(ctx, store.Subscription{
				Tenant: tenant, Name: k.name, Events: k.types,
				URL:     "https://" + k.host + "." + tenant + ".example/hooks/in?token=secret",
				Headers: map[string]string{"Authorization": "Bearer secret"},
				Secrets: []signing.Secret{signing.NewSecret()},
			})
			if err != nil {
				return err
			}
			if k.off {
				if _, err := h.Unsubscribe(ctx, sub.ID); err != nil {
					return err
				}
			}
		}
	}
	types := Types()
	for i := range each {
		for _, tenant := range Tenants {
			t := types[rand.IntN(len(types)-1)] // the last is published by nobody
			e, err := events.New(t.Name, map[string]any{
				"id": fmt.Sprint(4000 + i), "total": fmt.Sprintf("%d.%02d", rand.IntN(300), rand.IntN(100)),
				"currency": "EUR", "customer": map[string]string{"name": "Grace Hopper"},
			})
			if err != nil {
				return err
			}
			if i == 0 {
				e.ID = "order-4711" // a known one, of each tenant
			}
			e.Tenant = tenant
			if err := h.Publish(ctx, e); err != nil {
				return err
			}
		}
	}
	return h.settle(ctx)
}

// settle waits until nothing is due.
func (h *Host) settle(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := uint64(0)
	for {
		for range 25 { // half a second without an attempt
			select {
			case <-tick.C:
			case <-ctx.Done():
				return errors.Join(ctx.Err(), errors.New("busy: the deliveries did not settle"))
			}
		}
		s, err := h.Stats(ctx)
		if err != nil {
			return err
		}
		if s.Attempts == last {
			return nil
		}
		last = s.Attempts
	}
}
