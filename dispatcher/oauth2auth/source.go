package oauth2auth

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/outhook/outhook/store"
)

const (
	// DefaultTimeout is how long a request for a token may take with the default client.
	DefaultTimeout = 10 * time.Second

	// MinAge is how old a token is at least that is dropped because an endpoint has refused it.
	MinAge = 30 * time.Second

	// RetryAfter is how long an authorization server is left alone that gave no token.
	RetryAfter = time.Second
)

// Options configure a Source. The zero value of each field means its default.
type Options struct {
	// Client sends the requests for tokens. It should have a timeout, and follow no redirects, which
	// would send the client's secret elsewhere. If nil, a client that does so, with DefaultTimeout.
	Client *http.Client
}

// Source has the tokens of subscriptions. Make one with New. It may be used by any number of
// goroutines.
type Source struct {
	config func(store.Subscription) *clientcredentials.Config
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	tokens tokens
}

// New returns a Source. config says which client asks for the token of a subscription, and where;
// nil is no token. It is called at each attempt, and must be quick and safe for concurrent use.
// What it returns must not be changed afterwards; another configuration has a token of its own. A
// nil o means the defaults.
func New(config func(store.Subscription) *clientcredentials.Config, o *Options) *Source {
	s := &Source{
		config: config,
		client: &http.Client{
			Timeout:       DefaultTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		now:    time.Now,
		tokens: newTokens(),
	}
	if o != nil && o.Client != nil {
		s.client = o.Client
	}
	return s
}

// Authenticate is a dispatcher.Options.Authenticate: it returns the Authorization header of a
// subscription. It waits for a token as long as ctx lasts.
func (s *Source) Authenticate(
	ctx context.Context, sub store.Subscription, rejected http.Header,
) (http.Header, error) {
	config := s.config(sub)
	if config == nil {
		return nil, nil
	}
	value, wait, err := s.ask(config, rejected.Get("Authorization"))
	if wait != nil {
		select {
		case <-wait.done:
			value, err = wait.value, wait.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return http.Header{"Authorization": {value}}, nil
}

// ask returns the token of a configuration, as a header has it; or the request to wait for.
// rejected is what an endpoint has refused, if it has.
func (s *Source) ask(config *clientcredentials.Config, rejected string) (
	value string, wait *request, err error,
) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	t := s.tokens.of(config, now)
	// Another attempt may have renewed it meanwhile: then the new one is worth a try.
	if rejected != "" && rejected == t.value && now.Sub(t.fetchedAt) >= MinAge {
		t.value = ""
	}
	if t.renew(now) && t.request == nil {
		if now.Sub(t.failedAt) >= RetryAfter {
			s.fetch(t)
		} else if !t.usable(now) {
			return "", nil, t.failure
		}
	}
	if t.usable(now) {
		return t.value, nil, nil
	}
	return "", t.request, nil
}

// fetch begins a request for a token. It belongs to nobody's attempt, and ends by the timeout of
// the client. s.mu is held.
func (s *Source) fetch(t *token) {
	r := &request{done: make(chan struct{})}
	t.request = r
	go func() {
		got, err := get(t.config, s.client)
		s.mu.Lock()
		defer s.mu.Unlock()
		defer close(r.done)
		t.request = nil
		now := s.now()
		if err != nil {
			t.failure, t.failedAt, r.err = err, now, err
			return
		}
		t.take(got, now)
		r.value = t.value
	}()
}
