package send_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// authenticate is a Hooks.Authenticate.
type authenticate = func(context.Context, store.Subscription, http.Header) (http.Header, error)

// bearer returns the header of a token.
func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// guarded is an endpoint that takes one token, and keeps the requests.
type guarded struct {
	takes    string
	requests []*http.Request
	bodies   []string
}

func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	g.requests, g.bodies = append(g.requests, r), append(g.bodies, string(body))
	status := http.StatusUnauthorized
	if r.Header.Get("Authorization") == "Bearer "+g.takes {
		status = http.StatusOK
	}
	// It repeats what it got, as some do in an error.
	answer := "you sent " + r.Header.Get("Authorization")
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(answer)),
		Header: http.Header{"X-Echo": {answer}},
	}, nil
}

// Credentials stand in place of a header of the subscription and of Transform, and are signed over
// by nobody; Sign has the last word.
func TestAuthenticateSetsHeaders(t *testing.T) {
	g := &guarded{takes: "token"}
	hooks := send.Hooks{
		Authenticate: func(_ context.Context, sub store.Subscription, rejected http.Header) (
			http.Header, error,
		) {
			if rejected != nil {
				t.Errorf("it is told that %v was rejected, before there was a request", rejected)
			}
			sub.Headers["X-Own"] = "changed" // it is a copy
			h := bearer("token")
			h.Set("X-Signed", "by nobody")
			return h, nil
		},
		Transform: func(_ context.Context, _ store.Subscription, _ events.Event, h *http.Header,
			_ *[]byte) error {
			h.Set("Authorization", "of Transform")
			return nil
		},
		Sign: func(string, string, time.Time, []byte, []signing.Secret) (http.Header, error) {
			return http.Header{"X-Signed": {"by Sign"}}, nil
		},
	}
	c := newClaim("https://endpoint.example/")
	c.Subscription.Headers["Authorization"] = "of the subscription"
	r := newSender(t, g, hooks).Send(t.Context(), c, policy, "")
	if r.Attempt.Status != 200 || len(g.requests) != 1 {
		t.Fatalf("%+v after %d requests, want a success after one", r.Attempt, len(g.requests))
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer token", "X-Signed": "by Sign", "X-Own": "theirs",
	} {
		if got := g.requests[0].Header[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A failure is the sender's own, sends nothing, and says nothing of what the host said.
func TestAuthenticateThatFails(t *testing.T) {
	const failed = "sender: its Authenticate failed"
	for name, auth := range map[string]authenticate{
		"panics": func(context.Context, store.Subscription, http.Header) (http.Header, error) {
			panic(canary)
		},
		"fails": func(context.Context, store.Subscription, http.Header) (http.Header, error) {
			return nil, errors.New(canary)
		},
		"sets a reserved header": func(context.Context, store.Subscription, http.Header) (
			http.Header, error,
		) {
			return http.Header{"Webhook-Id": {canary}}, nil
		},
		"splits a header": func(context.Context, store.Subscription, http.Header) (
			http.Header, error,
		) {
			return http.Header{"X": {canary + "\r\nY: z"}}, nil
		},
		"takes all the time": func(ctx context.Context, _ store.Subscription, _ http.Header) (
			http.Header, error,
		) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := &guarded{}
			r := newSender(t, g, send.Hooks{Authenticate: auth}).Send(t.Context(),
				newClaim("https://endpoint.example/"), policy, "")
			if r.Attempt.Error != failed || r.Kind != send.KindOurs || len(g.requests) != 0 {
				t.Errorf("%s: error %q, kind %d and %d requests; want %q and none", name,
					r.Attempt.Error, r.Kind, len(g.requests), failed)
			}
		})
	}
}

// Other credentials that take all the time are no fault of the endpoint's either.
func TestAuthenticateThatTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{}
		r := newSender(t, g, send.Hooks{Authenticate: func(ctx context.Context, _ store.Subscription,
			rejected http.Header) (http.Header, error) {
			if rejected != nil {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return bearer("old"), nil
		}}).Send(t.Context(), newClaim("https://endpoint.example/"), policy, "")
		if r.Attempt.Error != "sender: its Authenticate failed" || r.Kind != send.KindOurs ||
			r.Attempt.Status != 0 || r.Attempt.Duration != nettest.Patience || len(g.requests) != 1 {
			t.Errorf("%+v, kind %d, after %d requests; want a failure of the sender's after one",
				r.Attempt, r.Kind, len(g.requests))
		}
	})
}

// A token that the endpoint refuses is renewed, once, within the attempt: with the same body and
// signatures.
func TestAuthenticateRenewsWhatIsRefused(t *testing.T) {
	const old, fresh = "old-token", "new-token"
	var told []http.Header
	again := func(h http.Header, err error) authenticate {
		return func(_ context.Context, _ store.Subscription, rejected http.Header) (
			http.Header, error,
		) {
			told = append(told, rejected)
			if rejected == nil {
				return bearer(old), nil
			}
			return h, err
		}
	}
	for _, tt := range []struct {
		name     string
		auth     authenticate
		takes    string
		success  func(int) bool
		requests int
		told     int
		status   int
		error    string
	}{
		{"a token that is good", again(bearer(fresh), nil), old, policy.Success, 1, 1, 200, ""},
		{"another one that is good", again(bearer(fresh), nil), fresh, policy.Success, 2, 2, 200, ""},
		{"another one that is refused too", again(bearer(fresh), nil), "", policy.Success, 2, 2, 401,
			"http_status: 401 Unauthorized"},
		{"the same one", again(bearer(old), nil), fresh, policy.Success, 1, 2, 401,
			"http_status: 401 Unauthorized"},
		{"the same one in other words", again(http.Header{"authorization": {"Bearer " + old}}, nil),
			fresh, policy.Success, 1, 2, 401, "http_status: 401 Unauthorized"},
		{"none", again(nil, nil), fresh, policy.Success, 2, 2, 401, "http_status: 401 Unauthorized"},
		{"no answer", again(nil, errors.New(canary)), fresh, policy.Success, 1, 2, 0,
			"sender: its Authenticate failed"},
		{"a 401 that is a success", again(bearer(fresh), nil), fresh,
			func(status int) bool { return status == 401 }, 1, 1, 401, ""},
	} {
		g := &guarded{takes: tt.takes}
		told = nil
		policy := *policy
		policy.Success = tt.success
		c := newClaim("https://endpoint.example/")
		c.Subscription.Secrets = []signing.Secret{signing.NewSecret()}
		s := newSender(t, g, send.Hooks{Authenticate: tt.auth})
		r := s.Send(t.Context(), c, &policy, "")
		if len(g.requests) != tt.requests || r.Attempt.Status != tt.status ||
			r.Attempt.Error != tt.error || len(told) != tt.told {
			t.Errorf("%s: %d requests, asked %d times, %d %q; want %d, %d, %d %q", tt.name,
				len(g.requests), len(told), r.Attempt.Status, r.Attempt.Error,
				tt.requests, tt.told, tt.status, tt.error)
			continue
		}
		if len(told) == 2 && fmt.Sprint(told[1]) != fmt.Sprint(bearer(old)) {
			t.Errorf("%s: it is told that %v was rejected", tt.name, told[1])
		}
		if tt.requests == 2 {
			first, second := g.requests[0].Header, g.requests[1].Header
			for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
				if first.Get(name) == "" || first.Get(name) != second.Get(name) {
					t.Errorf("%s: %s is %q, then %q", tt.name, name, first.Get(name), second.Get(name))
				}
			}
			if g.bodies[0] != g.bodies[1] || g.bodies[0] != string(c.Body) {
				t.Errorf("%s: the bodies are %q", tt.name, g.bodies)
			}
		}
	}
}

// Neither token is in the history, wherever the endpoint repeats it.
func TestCredentialsAreMasked(t *testing.T) {
	const old, fresh = "old-secret-token", "new-secret-token"
	repeats := transportFunc(func(r *http.Request) (*http.Response, error) {
		answer := fmt.Sprintf("not %s, nor %s", old, fresh)
		status := http.StatusUnauthorized
		if strings.Contains(r.Header.Get("X-Credential"), fresh) {
			status = http.StatusInternalServerError
		}
		return &http.Response{
			StatusCode: status, Body: io.NopCloser(strings.NewReader(answer)),
			Header: http.Header{"X-Echo": {answer}},
		}, nil
	})
	o := newOptions(repeats, send.Hooks{Authenticate: func(_ context.Context, _ store.Subscription,
		rejected http.Header) (http.Header, error) {
		if rejected == nil {
			return http.Header{"X-Credential": {"Token " + old}}, nil
		}
		return http.Header{"X-Credential": {"Token " + fresh}}, nil
	}})
	o.MaxResponse = store.MaxResponse
	r := send.New(o).Send(t.Context(), newClaim("https://endpoint.example/"), policy, "")
	if r.Attempt.Detail == nil || len(r.Attempt.Response) == 0 {
		t.Fatalf("%+v, want a detail and a body", r.Attempt)
	}
	shown := fmt.Sprintf("%+v %s %s", *r.Attempt.Detail, r.Attempt.Response, r.Attempt.Error)
	if strings.Contains(shown, old) || strings.Contains(shown, fresh) {
		t.Errorf("a token is in the history: %s", shown)
	}
	if !strings.Contains(shown, "X-Credential") {
		t.Errorf("the header is not in the history: %s", shown)
	}
}

// The second request goes over the connection of the first, over HTTP/1.1 and HTTP/2.
func TestRenewedOverTheSameConnection(t *testing.T) {
	ca := nettest.NewAuthority(t)
	for _, proto := range []string{"http/1.1", "h2"} {
		var mu sync.Mutex
		seen := make(map[string]int)
		config := ca.Config(t, "127.0.0.1")
		config.NextProtos = []string{proto}
		address := nettest.ServeTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			mu.Lock()
			seen[r.RemoteAddr]++
			mu.Unlock()
			if r.Header.Get("Authorization") != "Bearer new" {
				w.WriteHeader(http.StatusUnauthorized)
				io.WriteString(w, strings.Repeat("no ", 5000))
			}
		}), config)
		s := network(t, func(o *send.Options) {
			o.Roots = ca.Pool
			o.Hooks.Authenticate = func(_ context.Context, _ store.Subscription, rejected http.Header) (
				http.Header, error,
			) {
				if rejected == nil {
					return bearer("old"), nil
				}
				return bearer("new"), nil
			}
		})
		for range 3 {
			r := s.Send(t.Context(), newClaim("https://"+address), policy, "")
			if r.Attempt.Error != "" {
				t.Fatalf("%s: %+v", proto, r.Attempt)
			}
		}
		mu.Lock()
		if len(seen) != 1 {
			t.Errorf("%s: the requests came over %v, want one connection", proto, seen)
		}
		for _, n := range seen {
			if n != 6 {
				t.Errorf("%s: %d requests, want 6", proto, n)
			}
		}
		mu.Unlock()
	}
}
