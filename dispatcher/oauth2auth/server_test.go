package oauth2auth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const clientSecret = "s3cret+of the client"

// authServer is an authorization server (RFC 6749): it checks what a request for a token must have,
// issues tokens that are good for a time, and says which are.
type authServer struct {
	url string

	mu       sync.Mutex
	life     time.Duration // of the tokens that it issues; zero: they say nothing of an end
	broken   bool          // it answers 503
	hold     chan struct{} // requests wait until it is closed; nil: they do not
	requests int
	problems []string
	issued   map[string]time.Time // tokens, and when they end; zero: never
}

func newAuthServer(t *testing.T) *authServer {
	t.Helper()
	a := &authServer{issued: make(map[string]time.Time)}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	t.Cleanup(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, problem := range a.problems {
			t.Error(problem)
		}
	})
	a.url = s.URL + "/token?with=query"
	return a
}

// config is that of a client.
func (a *authServer) config(client string) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: client, ClientSecret: clientSecret, TokenURL: a.url,
		Scopes: []string{"deliver", "read"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
}

func (a *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests++
	hold := a.hold
	a.mu.Unlock()
	if hold != nil {
		<-hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fail := func(status int, code string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{
			"error": code, "error_description": "the secret was " + clientSecret,
		})
	}
	wrong := func(format string, args ...any) {
		a.problems = append(a.problems, fmt.Sprintf("a request for a token: "+format, args...))
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") !=
		"application/x-www-form-urlencoded" {
		wrong("a %s of %q", r.Method, r.Header.Get("Content-Type"))
	}
	if got := r.PostFormValue("grant_type"); got != "client_credentials" {
		wrong("the grant is %q", got)
	}
	if got := r.PostFormValue("scope"); got != "deliver read" {
		wrong("the scope is %q", got)
	}
	client, secret, ok := r.BasicAuth()
	switch {
	case a.broken:
		fail(http.StatusServiceUnavailable, "temporarily_unavailable")
	case !ok || client == "stranger" || secret != "s3cret%2Bof+the+client": // RFC 6749, 2.3.1
		fail(http.StatusUnauthorized, "invalid_client")
	default:
		token := fmt.Sprintf("%s-token-%d", client, len(a.issued)+1)
		answer := map[string]any{"access_token": token, "token_type": "bearer"}
		a.issued[token] = time.Time{}
		if a.life > 0 {
			answer["expires_in"] = int(a.life.Seconds())
			a.issued[token] = time.Now().Add(a.life)
		}
		json.NewEncoder(w).Encode(answer)
	}
}

// revoke makes all tokens worthless.
func (a *authServer) revoke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for token := range a.issued {
		a.issued[token] = time.Now().Add(-time.Second)
	}
}

func (a *authServer) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// count returns how many requests for a token there were.
func (a *authServer) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// endpoint is a resource server: it takes a request with a token of the authorization server's that
// has not ended.
func (a *authServer) endpoint(t *testing.T) (url string, seen func() []string) {
	t.Helper()
	var tokens []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		got := r.Header.Get("Authorization")
		tokens = append(tokens, got)
		for token, end := range a.issued {
			if got == "Bearer "+token && (end.IsZero() || time.Now().Before(end)) {
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, "%s is not good", got)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		a.mu.Lock()
		defer a.mu.Unlock()
		return slices.Clone(tokens)
	}
}
