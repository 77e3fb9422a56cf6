package dispatcher_test

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const tenYears = 10 * 365 * 24 * time.Hour

// TestOptionsOutOfBounds shows that what a store would refuse is refused by New, by the name that
// it has there.
func TestOptionsOutOfBounds(t *testing.T) {
	for _, tt := range []struct {
		o     dispatcher.Options
		names string
	}{
		{dispatcher.Options{Concurrency: 1<<20 + 1}, "Options.Concurrency is 1048577"},
		{dispatcher.Options{Concurrency: math.MaxInt}, "Options.Concurrency is"},
		{dispatcher.Options{PerTenant: -1},
			"Options.PerTenant is -1; it must be from 1 to Concurrency, which is 256"},
		{dispatcher.Options{Concurrency: 8, PerTenant: 9}, "Options.PerTenant is 9"},
		{dispatcher.Options{PerHost: -1},
			"Options.PerHost is -1; it must be from 1 to Concurrency, which is 256, or 0 for no bound"},
		{dispatcher.Options{Concurrency: 8, PerHost: 9}, "Options.PerHost is 9"},
		{dispatcher.Options{Retention: store.MaxDuration + 1}, "Options.Retention is"},
		{dispatcher.Options{Retention: math.MaxInt64}, "Options.Retention is"},
		{dispatcher.Options{FailedRetention: math.MaxInt64}, "Options.FailedRetention is"},
		{dispatcher.Options{Backoff: dispatcher.Backoff{Max: tenYears + 1}}, "Options.Backoff.Max is"},
		{dispatcher.Options{Backoff: dispatcher.Backoff{Max: -1}}, "Options.Backoff.Max is -1ns"},
		{dispatcher.Options{Backoff: dispatcher.Backoff{Initial: time.Hour, Max: time.Minute}},
			"Options.Backoff.Max is 1m0s; it must be from Initial, which is 1h0m0s, to"},
		{dispatcher.Options{Backoff: dispatcher.Backoff{Initial: math.MaxInt64}},
			"Options.Backoff.Initial is"},
		{dispatcher.Options{Backoff: dispatcher.Backoff{Initial: -1}}, "Options.Backoff.Initial is -1ns"},
		{dispatcher.Options{Concurrency: -1}, "Options.Concurrency is -1"},
		{dispatcher.Options{Timeout: -1}, "Options.Timeout is -1ns"},
		{dispatcher.Options{Timeout: 2 * time.Hour}, "Options.Timeout is 2h0m0s"},
		{dispatcher.Options{MaxTimeout: time.Second},
			"Options.MaxTimeout is 1s; it must be from Timeout, which is 15s, to an hour"},
		{dispatcher.Options{MaxTimeout: 2 * time.Hour}, "Options.MaxTimeout is 2h0m0s"},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Timeout: 2 * time.Hour}},
			"Options.MaxTimeout is 2h0m0s"},
		{dispatcher.Options{MaxTimeout: time.Minute,
			OwnerMay: dispatcher.OwnerBounds{Timeout: time.Hour}},
			"Options.OwnerMay.Timeout is 1h0m0s; it must be from 100ms to MaxTimeout, which is 1m0s"},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Timeout: -1}},
			"Options.OwnerMay.Timeout is -1ns"},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Rate: -1}}, "Options.OwnerMay.Rate is -1"},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Rate: math.NaN()}},
			"Options.OwnerMay.Rate is NaN"},
		{dispatcher.Options{OwnerMay: dispatcher.OwnerBounds{Rate: 1e7}},
			"Options.OwnerMay.Rate is 1e+07"},
		{dispatcher.Options{Concurrency: -1, PerHost: 7}, "Options.Concurrency is -1"},
		{dispatcher.Options{Transport: http.DefaultTransport, TLS: func(store.Subscription) *tls.Config {
			return nil
		}},
			"Options.TLS has no effect beside Transport"},
		{dispatcher.Options{Transport: http.DefaultTransport, DisableHTTP2: true},
			"Options.DisableHTTP2 has no effect"},
		{dispatcher.Options{MinSecret: -1}, "Options.MinSecret is -1; it must be from 1 to 32"},
		{dispatcher.Options{MinSecret: 33}, "Options.MinSecret is 33"},
		{dispatcher.Options{Signatures: -1}, "Options.Signatures is -1"},
		{dispatcher.Options{MaxResponse: store.MaxResponse + 1}, "Options.MaxResponse is 8193"},
		{dispatcher.Options{AttemptDetail: -1}, "Options.AttemptDetail is -1"},
		{dispatcher.Options{AttemptDetail: dispatcher.DetailOfNone + 1}, "Options.AttemptDetail is 3"},
		{dispatcher.Options{Signatures: dispatcher.SignaturesAiry + 1}, "Options.Signatures is 3"},
		{dispatcher.Options{DenyPrefixes: make([]netip.Prefix, 1)},
			"Options.DenyPrefixes[0] is not a valid prefix"},
		{dispatcher.Options{Proxy: &url.URL{Scheme: "http", Host: "p"}, DisableHTTP2: true},
			"Options.DisableHTTP2 has no effect beside Proxy"},
		{dispatcher.Options{Ports: []uint16{443, 0}}, "Options.Ports[1] is 0"},
		{dispatcher.Options{AllowLoopback: true, DenyPrefixes: nettest.Loopback()},
			"Options.AllowLoopback has no effect"},
	} {
		_, err := dispatcher.New(memstore.New(), &tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("New: got error %v, want one with %q", err, tt.names)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("New: got errors of several fields for one mistake:\n%v", err)
		}
	}
}

// The dialer that a host gets goes where deliveries may, and nowhere else.
func TestGuardedDialer(t *testing.T) {
	var reached nettest.Counter
	address := nettest.Listen(t, func(net.Conn) { reached.Add() })
	for _, o := range []*dispatcher.Options{
		nil, {}, {AllowPrefixes: nettest.Loopback(), DenyPrefixes: nettest.Loopback()},
	} {
		d, err := dispatcher.GuardedDialer(o)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := d.DialContext(t.Context(), "tcp", address); err == nil || reached.Count() != 0 {
			t.Errorf("%+v: %v and %d connections, want an error and none", o, c, reached.Count())
		}
	}
	d, err := dispatcher.GuardedDialer(&dispatcher.Options{AllowPrefixes: nettest.Loopback()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("to what is allowed: %v", err)
	}
	c.Close()
}

// A guard that would not be what its options say is none.
func TestGuardedDialerChecksPrefixes(t *testing.T) {
	d, err := dispatcher.GuardedDialer(&dispatcher.Options{AllowPrefixes: make([]netip.Prefix, 1)})
	if d != nil || err == nil || !strings.Contains(err.Error(),
		"Options.AllowPrefixes[0] is not a valid prefix") {
		t.Errorf("GuardedDialer = %v, %v; want an error that names the prefix", d, err)
	}
}

// claimRequests keeps the last ClaimRequest that a store got.
type claimRequests struct {
	store.Store
	mu   sync.Mutex
	last store.ClaimRequest
}

func (s *claimRequests) Claim(ctx context.Context, r store.ClaimRequest) (store.ClaimResult,
	error) {
	s.mu.Lock()
	s.last = r
	s.mu.Unlock()
	return s.Store.Claim(ctx, r)
}

// The bounds on tenants and hosts are the store's to keep; it gets them with each claim.
func TestBoundsOfClaims(t *testing.T) {
	for _, tt := range []struct {
		o                  dispatcher.Options
		perTenant, perHost int
	}{
		{dispatcher.Options{}, 128, 0},
		{dispatcher.Options{Concurrency: 1}, 1, 0},
		{dispatcher.Options{Concurrency: 7}, 4, 0},
		{dispatcher.Options{Concurrency: 100, PerTenant: 100, PerHost: 3}, 100, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &claimRequests{Store: memstore.New()}
			e := newEngine(t, s, &tt.o)
			e.run()
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.last.PerTenant != tt.perTenant || s.last.PerHost != tt.perHost {
				t.Errorf("Claim got %d for a tenant and %d for a host, want %d and %d",
					s.last.PerTenant, s.last.PerHost, tt.perTenant, tt.perHost)
			}
		})
	}
}

// TestOptionsAtTheirBounds runs with the largest of all options, an endpoint whose answers HTTP
// does not know, and enough failures for a hold: the stores must take everything that comes of it.
func TestOptionsAtTheirBounds(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Concurrency: 1 << 20, PerSubscription: 1 << 20, Timeout: time.Hour,
			Retention: store.MaxDuration, FailedRetention: store.MaxDuration, DisableAfter: -1,
			Backoff: dispatcher.Backoff{Initial: tenYears, Max: tenYears, Jitter: 0.99,
				MaxAttempts: math.MaxInt},
		})
		e.status(math.MaxInt)
		sub := e.subscribe("https://endpoint.example/")
		e.run()
		for range dispatcher.BreakerThreshold + 2 {
			ev, err := events.New("order.paid", 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Publish(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Minute)
		stats, err := e.Stats(t.Context())
		if err != nil || stats.Pending != dispatcher.BreakerThreshold+2 || stats.InFlight != 0 {
			t.Errorf("Stats: got %+v, %v; want all pending and none in flight", stats, err)
		}
		page, err := e.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: sub.ID})
		if err != nil {
			t.Fatal(err)
		}
		recorded, later := 0, 0
		for _, d := range page.Items {
			if d.Attempts == 0 {
				continue
			}
			recorded++
			// what was tried once the breaker was open waits for that alone
			switch wait := time.Until(d.DueAt); {
			case wait > 2*tenYears:
				t.Errorf("DueAt: got %v from now, want some years", wait)
			case wait > tenYears/200:
				later++
			}
			if d.LastStatus != 0 || dispatcher.ErrorClass(d.LastError) != dispatcher.ClassResponse {
				t.Errorf("last attempt: got %d, %q; want no status, and an answer that is not proper",
					d.LastStatus, d.LastError)
			}
		}
		if want := dispatcher.BreakerThreshold - 1; later < want {
			t.Errorf("%d are due in some years, want %d at least", later, want)
		}
		if recorded < dispatcher.BreakerThreshold {
			t.Errorf("attempts recorded: got %d, want %d at least", recorded, dispatcher.BreakerThreshold)
		}
	})
}

func TestOverlapOutOfBounds(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.RotateSecret(t.Context(), "3e639566-29fa-450d-a59f-ae3c25d7260f", "",
		store.MaxDuration+1)
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "overlap" {
		t.Errorf("RotateSecret: got error %v, want an *events.InvalidError about overlap", err)
	}
}
