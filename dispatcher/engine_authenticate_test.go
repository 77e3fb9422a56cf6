package dispatcher_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// An authorization server that is down fails attempts, which are counted and retried, and leaves
// the health of the endpoint as it is. What fails for too long dies with the reason.
func TestAuthenticateThatFailsIsOurs(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var mu sync.Mutex
		down := true
		e := newEngine(t, s, &dispatcher.Options{
			Backoff: dispatcher.Backoff{Initial: time.Second, Max: time.Second, Jitter: -1,
				MaxAttempts: 3},
			Authenticate: func(context.Context, store.Subscription, http.Header) (http.Header, error) {
				mu.Lock()
				defer mu.Unlock()
				if down {
					return nil, errors.New("the authorization server is down")
				}
				return dispatcher.BasicAuth("user", "pass word"), nil
			},
		})
		sub := e.subscribe("https://a.example/hook")
		e.run()
		for range 2 * dispatcher.BreakerThreshold {
			e.publish("order.created", 1)
		}
		pass(time.Minute)
		for _, d := range e.deliveries() {
			if d.State != store.Dead || d.LastError != "sender: its Authenticate failed" || d.Attempts != 3 {
				t.Fatalf("got %s with %q after %d attempts, want it dead after three", d.State, d.LastError,
					d.Attempts)
			}
		}
		stats, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || stats.Failures != 0 || stats.Breaker != dispatcher.BreakerClosed {
			t.Errorf("got %+v, %v; want no failure of the endpoint", stats, err)
		}
		if n := len(e.seen("")); n != 0 {
			t.Errorf("%d requests without credentials", n)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		e.wantState(publishAndSettle(e), store.Delivered)
		if got := e.seen("")[0].Header.Get("Authorization"); got != "Basic dXNlcjpwYXNzIHdvcmQ=" {
			t.Errorf("got the credentials %q", got)
		}
	})
}

// A 401 is answered by other credentials in the same attempt, and by the same ones it is a failure
// of the endpoint.
func TestAuthenticateRenews(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var mu sync.Mutex
		token, renewed := "first", 0
		e := newEngine(t, s, &dispatcher.Options{
			Backoff: noJitter, AttemptDetail: dispatcher.DetailOfAll,
			Authenticate: func(_ context.Context, _ store.Subscription, rejected http.Header) (
				http.Header, error,
			) {
				mu.Lock()
				defer mu.Unlock()
				if rejected != nil {
					renewed++
					token = "second"
				}
				return http.Header{"Authorization": {"Bearer " + token + "-token"}}, nil
			},
		})
		e.answers(func(r request) reply {
			if r.Header.Get("Authorization") == "Bearer second-token" {
				return reply{Status: 200}
			}
			return reply{Status: 401}
		})
		sub := e.subscribe("https://a.example/hook")
		e.run()
		for range 3 {
			ev := publishAndSettle(e)
			if d := e.wantState(ev, store.Delivered); d.Attempts != 1 {
				t.Errorf("%d attempts, want 1", d.Attempts)
			}
			attempts, err := e.Attempts(t.Context(), sub.ID, ev.ID)
			if err != nil || attempts[0].Detail == nil {
				t.Fatalf("got %+v, %v; want one attempt with a detail", attempts, err)
			}
			for _, f := range attempts[0].Detail.Request {
				if strings.Contains(f.Value, "-token") {
					t.Errorf("the history has %s: %s", f.Name, f.Value)
				}
			}
		}
		if n := len(e.seen("")); n != 4 || renewed != 1 {
			t.Errorf("%d requests, and the token was renewed %d times; want 4 and once", n, renewed)
		}
		e.status(http.StatusUnauthorized)
		d := e.wantState(publishAndSettle(e), store.Pending)
		if d.LastError != "http_status: 401 Unauthorized" {
			t.Errorf("got %q", d.LastError)
		}
		stats, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || stats.Failures != 1 {
			t.Errorf("got %+v, %v; want a failure of the endpoint", stats, err)
		}
	})
}

// A ping has credentials too.
func TestPingAuthenticates(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Authenticate: func(context.Context, store.Subscription, http.Header) (http.Header, error) {
				return http.Header{"X-Key": {"k"}}, nil
			},
		})
		sub := e.subscribe("https://a.example/hook")
		if a, err := e.Ping(t.Context(), sub.ID); err != nil || a.Error != "" {
			t.Fatalf("got %+v, %v", a, err)
		}
		if got := e.seen("")[0].Header.Get("X-Key"); got != "k" {
			t.Errorf("the ping has the key %q", got)
		}
	})
}
