package oauth2auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/oauth2auth"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Deliveries to a real endpoint carry tokens of a real authorization server, also when the tokens
// are revoked, and when the server is down for a while. No token is in the log or in the history.
func TestDeliveries(t *testing.T) {
	a := newAuthServer(t)
	a.life = time.Hour
	tokens, c := newSource(a)
	url, seen := a.endpoint(t)
	var log nettest.Log
	o := &dispatcher.Options{
		AllowLoopback: true, AttemptDetail: dispatcher.DetailOfAll,
		Authenticate: tokens.Authenticate,
		Logger:       slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Backoff: dispatcher.Backoff{Initial: time.Millisecond, Max: 10 * time.Millisecond,
			MaxAttempts: 10_000},
	}
	d, err := dispatcher.New(memstore.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	defer running.Wait()
	defer cancel()
	sub, err := d.Subscribe(ctx, store.Subscription{Name: "one", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	delivered := func(n int) {
		t.Helper()
		for range n {
			ev, err := events.New("order.created", 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Publish(ctx, ev); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "all are delivered", func() bool {
			page, err := d.Deliveries(ctx, store.DeliveryQuery{
				SubscriptionID: sub.ID, States: []store.State{store.Pending}})
			return err == nil && len(page.Items) == 0
		})
	}
	delivered(20)
	if got := a.count(); got != 1 {
		t.Errorf("%d requests for a token, want 1", got)
	}
	a.revoke()
	c.pass(oauth2auth.MinAge)
	delivered(20)
	if got := a.count(); got != 2 {
		t.Errorf("%d requests for a token after one was revoked, want 2", got)
	}
	a.revoke()
	a.set(func() { a.broken = true })
	c.pass(oauth2auth.MinAge)
	before := len(seen())
	ev, err := events.New("order.created", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(ctx, ev); err != nil {
		t.Fatal(err)
	}
	var attempts []store.Attempt
	await(t, "an attempt fails for want of a token", func() bool {
		attempts, err = d.Attempts(ctx, sub.ID, ev.ID)
		return err == nil && len(attempts) > 3
	})
	for _, at := range attempts {
		if at.Error != "sender: its Authenticate failed" {
			t.Errorf("an attempt has failed with %q", at.Error)
		}
	}
	stats, err := d.SubscriptionStats(ctx, sub.ID)
	if err != nil || stats.Failures != 0 {
		t.Errorf("got %+v, %v; want no failure of the endpoint", stats, err)
	}
	if n := len(seen()); n != before+1 { // with the token that was revoked
		t.Errorf("%d requests to the endpoint while there is no token", n-before)
	}
	a.set(func() { a.broken = false })
	c.pass(oauth2auth.RetryAfter)
	delivered(1)

	page, err := d.Deliveries(ctx, store.DeliveryQuery{SubscriptionID: sub.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, delivery := range page.Items {
		attempts, err := d.Attempts(ctx, sub.ID, delivery.EventID)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range attempts {
			shown := fmt.Sprintf("%+v %s", at, at.Response)
			if at.Detail != nil {
				shown += fmt.Sprintf("%+v", *at.Detail)
			}
			if strings.Contains(shown, "-token-") {
				t.Errorf("a token is in the history: %s", shown)
			}
		}
	}
	for _, secret := range []string{"-token-", clientSecret, a.url} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// Deliveries to an endpoint carry a token, which one request has fetched.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"bearer","expires_in":3600}`)
	}))
	defer server.Close()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Authorization"))
	}))
	defer endpoint.Close()

	tokens := oauth2auth.New(func(sub store.Subscription) *clientcredentials.Config {
		return &clientcredentials.Config{ // of sub
			ClientID: "us", ClientSecret: "secret", TokenURL: server.URL, Scopes: []string{"hooks"},
		}
	}, nil)
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Authenticate:  tokens.Authenticate,
		AllowLoopback: true, // for this example
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	sub, err := d.Subscribe(ctx, store.Subscription{URL: endpoint.URL})
	if err != nil {
		panic(err)
	}
	for range 2 {
		if _, err := d.Ping(ctx, sub.ID); err != nil {
			panic(err)
		}
	}
	// Output:
	// Bearer 2YotnFZFEjr1zCsicMWpAA
	// Bearer 2YotnFZFEjr1zCsicMWpAA
}
