package interop_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	oauth2server "github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/go-oauth2/oauth2/v4/server"
	tokens "github.com/go-oauth2/oauth2/v4/store"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/oauth2auth"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const clientSecret = "s3cret-of-the-client" // the server decodes none (RFC 6749, 2.3.1)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// world is an authorization server and an endpoint that takes what has a token of it.
type world struct {
	tokenURL, endpoint string

	mu       sync.Mutex
	requests int      // for tokens
	used     []string // tokens that were good, each once, in the order in which they came
	refused  int      // requests of the endpoint without one
}

// newWorld serves both. Tokens are good for life.
func newWorld(t *testing.T, life time.Duration) *world {
	t.Helper()
	manager := manage.NewDefaultManager()
	manager.SetClientTokenCfg(&manage.Config{AccessTokenExp: life})
	manager.MustTokenStorage(tokens.NewMemoryTokenStore())
	clients := tokens.NewClientStore()
	if err := clients.Set("outhook", &models.Client{ID: "outhook", Secret: clientSecret}); err != nil {
		t.Fatal(err)
	}
	manager.MapClientStorage(clients)
	auth := server.NewServer(&server.Config{
		TokenType: "Bearer", AllowedGrantTypes: []oauth2server.GrantType{oauth2server.ClientCredentials},
	}, manager)
	w := new(world)
	tokenServer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests++
		w.mu.Unlock()
		_ = auth.HandleTokenRequest(rw, r) // it has answered with its error
	}))
	t.Cleanup(tokenServer.Close)
	endpoint := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		token, err := auth.ValidationBearerToken(r)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil || token.GetClientID() != "outhook" || token.GetScope() != "deliver" {
			w.refused++
			rw.Header().Set("WWW-Authenticate", "Bearer")
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		if !slices.Contains(w.used, token.GetAccess()) {
			w.used = append(w.used, token.GetAccess())
		}
	}))
	t.Cleanup(endpoint.Close)
	w.tokenURL, w.endpoint = tokenServer.URL, endpoint.URL
	return w
}

func (w *world) counts() (requests, used, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests, len(w.used), w.refused
}

// host delivers with tokens of a client with the secret. attempts has what became of each attempt.
func (w *world) host(t *testing.T, secret string) (d *dispatcher.Dispatcher,
	sub store.Subscription, attempts <-chan dispatcher.Info, log *nettest.Log) {
	t.Helper()
	source := oauth2auth.New(func(store.Subscription) *clientcredentials.Config {
		return &clientcredentials.Config{
			ClientID: "outhook", ClientSecret: secret, TokenURL: w.tokenURL, Scopes: []string{"deliver"},
		}
	}, nil)
	infos := make(chan dispatcher.Info, 4096)
	log = new(nettest.Log)
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Authenticate: source.Authenticate, AllowLoopback: true,
		Backoff: dispatcher.Backoff{
			Initial: 100 * time.Millisecond, Max: time.Second, MaxAttempts: 1000,
		},
		Logger:   slog.New(slog.NewTextHandler(log, nil)),
		Observer: &dispatcher.Observer{OnAttempt: func(i dispatcher.Info) { infos <- i }},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sub, err = d.Subscribe(t.Context(), store.Subscription{URL: w.endpoint}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d, sub, infos, log
}

func publish(t *testing.T, d *dispatcher.Dispatcher) {
	t.Helper()
	e, err := events.New("order.paid", 1)
	if err == nil {
		err = d.Publish(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, from <-chan dispatcher.Info) dispatcher.Info {
	t.Helper()
	select {
	case i := <-from:
		return i
	case <-time.After(patience):
		t.Fatalf("no attempt ended within %v", patience)
		return dispatcher.Info{}
	}
}

// TestOneTokenForAll has 50 deliveries at once carry one token, which was asked for once.
func TestOneTokenForAll(t *testing.T) {
	w := newWorld(t, time.Hour)
	d, _, attempts, _ := w.host(t, clientSecret)
	for range 50 {
		publish(t, d)
	}
	for range 50 {
		if i := next(t, attempts); i.State != store.Delivered {
			t.Fatalf("an attempt has come to %s, %q", i.State, i.Attempt.Error)
		}
	}
	if requests, used, refused := w.counts(); requests != 1 || used != 1 || refused != 0 {
		t.Errorf("%d requests for tokens, %d tokens used, %d refused; want 1, 1 and none", requests, used,
			refused)
	}
}

// TestTokensEnd goes on delivering until three tokens were used, of which each is good for some
// seconds: all is delivered in the end.
func TestTokensEnd(t *testing.T) {
	w := newWorld(t, 5*time.Second)
	d, _, attempts, _ := w.host(t, clientSecret)
	end := time.Now().Add(patience)
	for used := 0; used < 3; _, used, _ = w.counts() {
		publish(t, d)
		for next(t, attempts).State != store.Delivered { // on a busy machine a token may end on its way
		}
		if time.Now().After(end) {
			t.Fatalf("%d tokens were used within %v, want 3", used, patience)
		}
	}
	_, _, refused := w.counts()
	t.Logf("%d requests had a token that had ended", refused)
}

// TestClientThatIsUnknown has a host with a wrong secret: the server says so, the log has its word
// for it, and neither the endpoint nor the health of the webhook is touched.
func TestClientThatIsUnknown(t *testing.T) {
	w := newWorld(t, time.Hour)
	d, sub, attempts, log := w.host(t, "wrong-secret")
	publish(t, d)
	i := next(t, attempts)
	if i.State != store.Pending || i.Attempt.Error != "sender: its Authenticate failed" {
		t.Errorf("the attempt has come to %s, %q", i.State, i.Attempt.Error)
	}
	stats, err := d.SubscriptionStats(t.Context(), sub.ID)
	if err != nil || stats.Failures != 0 {
		t.Errorf("the webhook has %d failures, %v; want none", stats.Failures, err)
	}
	if _, used, refused := w.counts(); used+refused != 0 {
		t.Errorf("%d requests have reached the endpoint, want none", used+refused)
	}
	if text := log.String(); !strings.Contains(text, "invalid_client") ||
		strings.Contains(text, "wrong-secret") {
		t.Errorf("the log has %s, want invalid_client and no secret", text)
	}
}
