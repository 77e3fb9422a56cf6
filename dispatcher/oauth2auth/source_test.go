package oauth2auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/outhook/outhook/dispatcher/oauth2auth"
	"github.com/outhook/outhook/store"
)

// clock is a time that a test moves.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// newSource returns a Source of the server's clients, by the subscription's name.
func newSource(a *authServer) (*oauth2auth.Source, *clock) {
	s := oauth2auth.New(func(sub store.Subscription) *clientcredentials.Config {
		if sub.Name == "" {
			return nil
		}
		return a.config(sub.Name)
	}, nil)
	c := &clock{}
	s.SetClock(c.now)
	return s, c
}

// mustAsk returns the token of a client.
func mustAsk(t *testing.T, s *oauth2auth.Source, client string, rejected ...string) string {
	t.Helper()
	var h http.Header
	if len(rejected) > 0 {
		h = http.Header{"Authorization": rejected}
	}
	got, err := s.Authenticate(t.Context(), store.Subscription{Name: client}, h)
	if err != nil {
		t.Fatal(err)
	}
	return got.Get("Authorization")
}

func TestTokenIsKept(t *testing.T) {
	a := newAuthServer(t)
	a.life = time.Hour
	s, _ := newSource(a)
	for range 3 {
		if got := mustAsk(t, s, "one"); got != "Bearer one-token-1" {
			t.Errorf("got %q, want the first token", got)
		}
	}
	if got := mustAsk(t, s, "two"); got != "Bearer two-token-2" {
		t.Errorf("another client got %q", got)
	}
	if n := a.count(); n != 2 {
		t.Errorf("%d requests, want one for each client", n)
	}
	if h, err := s.Authenticate(t.Context(), store.Subscription{}, nil); h != nil || err != nil {
		t.Errorf("without a configuration: got %v, %v", h, err)
	}
}

// Every difference makes another configuration.
func TestTokensOfConfigurations(t *testing.T) {
	a := newAuthServer(t)
	configs := []*clientcredentials.Config{
		a.config("one"), a.config("two"), a.config("one"), a.config("one"), a.config("one"),
	}
	configs[2].TokenURL += "&another=1"
	configs[3].EndpointParams = map[string][]string{"audience": {"a"}}
	configs[4].EndpointParams = map[string][]string{"audience": {"b"}}
	i := 0
	s := oauth2auth.New(func(store.Subscription) *clientcredentials.Config { return configs[i] }, nil)
	seen := make(map[string]bool)
	for range 2 {
		for i = range configs {
			seen[mustAsk(t, s, "")] = true
		}
	}
	if len(seen) != len(configs) || a.count() != len(configs) {
		t.Errorf("%d tokens by %d requests, want one for each of %d", len(seen), a.count(), len(configs))
	}
}

// A token is renewed before its end, without anybody waiting for it, and not used at its end.
func TestTokenIsRenewedBeforeItsEnd(t *testing.T) {
	a := newAuthServer(t)
	a.life = time.Hour
	s, c := newSource(a)
	mustAsk(t, s, "one")
	c.pass(58 * time.Minute)
	if got := mustAsk(t, s, "one"); got != "Bearer one-token-1" || a.count() != 1 {
		t.Errorf("two minutes before its end: got %q after %d requests", got, a.count())
	}
	hold := make(chan struct{})
	a.set(func() { a.hold = hold })
	c.pass(90 * time.Second)
	for range 100 { // the request is under way, and nobody waits for it
		if got := mustAsk(t, s, "one"); got != "Bearer one-token-1" {
			t.Fatalf("half a minute before its end: got %q", got)
		}
	}
	close(hold)
	await(t, "the token is renewed", func() bool {
		return mustAsk(t, s, "one") == "Bearer one-token-2"
	})
	if n := a.count(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	c.pass(2 * time.Hour)
	if got := mustAsk(t, s, "one"); got != "Bearer one-token-3" {
		t.Errorf("after its end: got %q", got)
	}
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// A short life is used for the most of it, and the end of a token is not passed.
func TestTokenOfSeconds(t *testing.T) {
	a := newAuthServer(t)
	a.life = 10 * time.Second
	s, c := newSource(a)
	mustAsk(t, s, "one")
	c.pass(7 * time.Second)
	mustAsk(t, s, "one")
	if n := a.count(); n != 1 {
		t.Errorf("%d requests within seven seconds, want 1", n)
	}
	c.pass(2500 * time.Millisecond)
	if got := mustAsk(t, s, "one"); got == "Bearer one-token-1" {
		t.Error("half a second before its end it is still used")
	}
}

// However many ask at once, there is one request, and one who leaves does not take it with him.
func TestOneRequestAtATime(t *testing.T) {
	a := newAuthServer(t)
	a.hold = make(chan struct{})
	s, _ := newSource(a)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.Authenticate(ctx, store.Subscription{Name: "one"}, nil)
		left <- err
	}()
	await(t, "the server is asked", func() bool { return a.count() == 1 })
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left got error %v", err)
	}
	const n = 50
	got := make(chan string, n)
	var asking sync.WaitGroup
	for range n {
		asking.Go(func() {
			h, err := s.Authenticate(t.Context(), store.Subscription{Name: "one"}, nil)
			got <- fmt.Sprint(h.Get("Authorization"), err)
		})
	}
	close(a.hold)
	asking.Wait()
	for range n {
		if g := <-got; g != "Bearer one-token-1<nil>" {
			t.Errorf("got %s", g)
		}
	}
	if n := a.count(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// A token that an endpoint refuses is dropped, unless it is new or was renewed meanwhile.
func TestRefusedTokenIsDropped(t *testing.T) {
	a := newAuthServer(t)
	a.life = time.Hour
	s, c := newSource(a)
	first := mustAsk(t, s, "one")
	if got := mustAsk(t, s, "one", first); got != first {
		t.Errorf("a new token was dropped for %q", got)
	}
	c.pass(oauth2auth.MinAge)
	if got := mustAsk(t, s, "one", "Bearer of another time"); got != first {
		t.Errorf("the refusal of another token has dropped this one for %q", got)
	}
	second := mustAsk(t, s, "one", first)
	if second != "Bearer one-token-2" {
		t.Errorf("got %q in place of the one that was refused", second)
	}
	c.pass(oauth2auth.MinAge)
	if got := mustAsk(t, s, "one", first); got != second { // an attempt that began before
		t.Errorf("the late refusal of the first has dropped the second for %q", got)
	}
	if n := a.count(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// An authorization server that fails is left alone for a moment; a token that is still good is used
// meanwhile. No error has the secret, the URL or what the server has said.
func TestServerThatFails(t *testing.T) {
	a := newAuthServer(t)
	a.life = time.Hour
	s, c := newSource(a)
	mustAsk(t, s, "one")
	a.set(func() { a.broken = true })
	c.pass(59*time.Minute + 30*time.Second)
	for range 10 {
		if got := mustAsk(t, s, "one"); got != "Bearer one-token-1" {
			t.Errorf("while the server is down: got %q", got)
		}
	}
	c.pass(time.Hour)
	ask := func(client string) error {
		_, err := s.Authenticate(t.Context(), store.Subscription{Name: client}, nil)
		return err
	}
	await(t, "the token is useless", func() bool { return ask("one") != nil })
	before := a.count()
	for range 10 {
		err := ask("one")
		if err == nil || err.Error() !=
			"oauth2auth: the authorization server answered 503: temporarily_unavailable" {
			t.Errorf("got error %v", err)
		}
	}
	if n := a.count(); n != before {
		t.Errorf("%d requests within a moment of a failure", n-before)
	}
	a.set(func() { a.broken = false })
	c.pass(oauth2auth.RetryAfter)
	mustAsk(t, s, "one")

	err := ask("stranger")
	if err == nil || err.Error() !=
		"oauth2auth: the authorization server answered 401: invalid_client" {
		t.Errorf("a stranger got error %v", err)
	}
}

// What is no answer, or no token, is an error that names no URL.
func TestServerThatIsNone(t *testing.T) {
	refuses := httptest.NewServer(nil)
	refuses.Close()
	var answer string
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer == "redirect" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(odd.Close)
	panics := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		panic("a bug")
	})}
	for _, tt := range []struct {
		url, answer string
		client      *http.Client
		want        string
	}{
		{refuses.URL, "", nil, "the authorization server gave no answer: "},
		{odd.URL, `{"token_type":"bearer"}`, nil, "the authorization server's answer has no token"},
		{odd.URL, "{", nil, "the authorization server"},
		{odd.URL, `{"error":"` + clientSecret + `"}`, nil, "the authorization server answered 200"},
		{odd.URL, "redirect", nil, "the authorization server answered 307"},
		{odd.URL, "", panics, "the client panicked: a bug"},
	} {
		answer = tt.answer
		s := oauth2auth.New(func(store.Subscription) *clientcredentials.Config {
			return &clientcredentials.Config{
				ClientID: "one", ClientSecret: clientSecret, TokenURL: tt.url + "/secret-path",
				AuthStyle: oauth2.AuthStyleInHeader,
			}
		}, &oauth2auth.Options{Client: tt.client})
		_, err := s.Authenticate(t.Context(), store.Subscription{}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "oauth2auth: "+tt.want) {
			t.Errorf("%q: got error %v, want %q", tt.answer, err, tt.want)
			continue
		}
		for _, secret := range []string{clientSecret, "secret-path"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q: the error has a secret: %v", tt.answer, err)
			}
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Tokens that nobody asks for are forgotten.
func TestUnusedTokensAreForgotten(t *testing.T) {
	a, c := newAuthServer(t), &clock{}
	s := oauth2auth.New(func(sub store.Subscription) *clientcredentials.Config {
		return a.config(sub.Name)
	}, &oauth2auth.Options{Client: &http.Client{
		Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("no network")
		}),
	}})
	s.SetClock(c.now)
	for i := range 5000 {
		s.Authenticate(t.Context(), store.Subscription{Name: fmt.Sprint(i)}, nil)
		c.pass(time.Second) // within ten minutes there are 600
		if n := s.Kept(); n > 2048 {
			t.Fatalf("%d are kept", n)
		}
	}
}
