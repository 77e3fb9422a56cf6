package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// The canaries: texts that must not be where they have no business.
const (
	keyCanary     = "canary-of-the-signature-key"
	headerCanary  = "canary-of-a-header-value"
	queryCanary   = "canary-of-the-query"
	payloadCanary = "canary-of-the-payload"
)

// TestFaultSecrets runs everything with canaries in what is nobody else's business, and looks for them in all that comes out:
// logs, errors, answers, records and statistics.
func TestFaultSecrets(t *testing.T) {
	c := newCage(t)
	c.useAPI(t)
	c.deliver(t)
	c.useDispatcher(t)
	for _, canary := range []string{keyCanary, headerCanary, queryCanary, payloadCanary} {
		if !c.wire.contains(canary) && canary != keyCanary {
			t.Errorf("%s never went to an endpoint: the test has not run what it should", canary)
		}
		c.private.wantNo(t, canary)
	}
	c.wire.wantNo(t, keyCanary)
	c.owners.wantNo(t, keyCanary) // what an owner may see is the URL, the headers and what the endpoint answered
	c.owners.wantNo(t, payloadCanary)
	if n := len(c.private.parts); n < 60 {
		t.Errorf("only %d texts were searched", n)
	}
}

// sink is what has come out somewhere.
type sink struct {
	mu    sync.Mutex
	parts []string
}

func (s *sink) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, fmt.Sprintf(format, args...))
}

// Write implements io.Writer, for a log.
func (s *sink) Write(p []byte) (int, error) {
	s.add("%s", p)
	return len(p), nil
}

func (s *sink) contains(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if strings.Contains(p, text) {
			return true
		}
	}
	return false
}

func (s *sink) wantNo(t *testing.T, canary string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if strings.Contains(p, canary) {
			t.Errorf("%s is in %.300q", canary, p)
		}
	}
}

// cage is a host with everything on, and what comes out of it.
type cage struct {
	d    *dispatcher.Dispatcher
	api  *httptest.Server
	urls []string // of endpoints that answer well, badly, or not at all

	wire    sink // what endpoints get
	owners  sink // what the owner of a webhook gets
	private sink // the rest: logs, errors, statistics, what observers are told in words
	done    chan struct{}
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{done: make(chan struct{}, 1<<16)}
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "outhook.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c.d, err = dispatcher.New(s, &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Timeout:       200 * time.Millisecond,
		Backoff:       dispatcher.Backoff{Initial: time.Millisecond, Max: time.Millisecond, MaxAttempts: 2},
		Logger:        slog.New(slog.NewJSONHandler(&c.private, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer: &dispatcher.Observer{
			OnAttempt: func(i dispatcher.Info) { c.observe(i); c.done <- struct{}{} },
			OnDead:    c.observe,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	if err := httpapi.Mount(mux, c.d, httpapi.NoAuth, nil); err != nil {
		t.Fatal(err)
	}
	c.api = httptest.NewServer(mux)
	t.Cleanup(c.api.Close)
	c.endpoints(t)
	return c
}

// observe takes what an observer is told. The subscription in it is the owner's.
func (c *cage) observe(i dispatcher.Info) {
	c.owners.add("%+v %#v", i, i)
	c.private.add("%s %s", i.Attempt.Error, i.Attempt.Response)
}

// endpoints makes endpoints of each kind, whose answers tell what they got.
func (c *cage) endpoints(t *testing.T) {
	t.Helper()
	for _, status := range []int{200, 302, 410, 500} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			c.wire.add("%s %v %s", r.URL, r.Header, body)
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		c.urls = append(c.urls, s.URL)
	}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(tls.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	c.urls = append(c.urls, tls.URL, "http://"+silent.Addr().String(), "http://127.0.0.1:1025", "http://nowhere.invalid")
}

// useAPI calls all endpoints of the API, well and badly.
func (c *cage) useAPI(t *testing.T) {
	t.Helper()
	for _, url := range c.urls {
		hook, _ := json.Marshal(map[string]any{
			"url": url + "/hook?token=" + queryCanary, "headers": map[string]string{"X-Token": headerCanary}, "signature_key": keyCanary,
		})
		id := c.call(t, "subscribe", string(hook))
		c.call(t, "info", `{"id":"`+id+`"}`)
		c.call(t, "update", `{"id":"`+id+`","signature_key":"`+keyCanary+`"}`)
	}
	c.call(t, "list", `{}`)
	good := `"url":"https://example.com/?` + queryCanary + `"`
	for _, bad := range []string{
		`{` + good + `,"signature_key":"whsec_` + keyCanary + `"}`,
		`{` + good + `,"signature_key":"` + keyCanary + strings.Repeat("x", 600) + `"}`,
		`{` + good + `,"signature_key":["` + keyCanary + `"]}`,
		`{` + good + `,"signature_key":"` + keyCanary,
		`{` + good + `,"signature_key":"` + keyCanary + `"} trailing`,
		`{` + good + `,"headers":{"X-A":"` + headerCanary + `\r\n"}}`,
		`{` + good + `,"headers":{"Host":"` + headerCanary + `"}}`,
		`{"url":"http://10.0.0.1/?` + queryCanary + `"}`,
		`{"url":"ftp://example.com/?` + queryCanary + `"}`,
		`{"url":"http://user:` + queryCanary + `@example.com/"}`,
		`{"url":"http://exa mple.com/?` + queryCanary + `"}`,
	} {
		if id := c.call(t, "subscribe", bad); id != "" {
			t.Errorf("subscribe took %s", bad)
		}
	}
}

// call calls the API and returns the webhook's ID, if there is one in the answer.
func (c *cage) call(t *testing.T, endpoint, body string) (id string) {
	t.Helper()
	res, err := http.Post(c.api.URL+"/webhooks."+endpoint, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		c.private.add("%v %s", res.Header, answer)
		return ""
	}
	c.owners.add("%v %s", res.Header, answer)
	var hook struct{ ID string }
	json.Unmarshal(answer, &hook)
	return hook.ID
}

// deliver publishes an event to all, and waits until each endpoint has been tried.
func (c *cage) deliver(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running := make(chan error, 1)
	go func() { running <- c.d.Run(ctx) }()
	e, err := events.New(faults.Type, payloadCanary)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.d.Publish(ctx, e); err != nil {
		t.Fatal(err)
	}
	take(t, c.done, 2*len(c.urls)-2) // all but two are tried twice
	if err := c.d.Publish(ctx, events.Event{ID: e.ID, Type: e.Type, Time: e.Time, Payload: []byte(`"` + payloadCanary + ` again"`)}); err != nil {
		c.private.add("%v", err)
	}
	for _, sub := range c.all(t) {
		a, err := c.d.Ping(ctx, sub.ID)
		c.private.add("%+v %v", a, err)
		c.private.add("%v", c.d.Redeliver(ctx, sub.ID, e.ID))
	}
	stop()
	if err := <-running; err != nil {
		t.Error(err)
	}
}

func (c *cage) all(t *testing.T) []store.Subscription {
	t.Helper()
	page, err := c.d.Subscriptions(t.Context(), store.SubscriptionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// useDispatcher prints all that a Dispatcher returns, in every way that a host may print it.
func (c *cage) useDispatcher(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	stats, err := c.d.Stats(ctx)
	c.private.add("%+v %v", stats, err)
	page, err := c.d.Deliveries(ctx, store.DeliveryQuery{})
	c.private.add("%+v %v %s", page, err, asJSON(t, page))
	for _, delivery := range page.Items {
		attempts, err := c.d.Attempts(ctx, delivery.SubscriptionID, delivery.EventID)
		c.private.add("%+v %v %s", attempts, err, asJSON(t, attempts))
	}
	for _, sub := range c.all(t) {
		c.owners.add("%v %+v %#v %s", sub, sub, sub, asJSON(t, sub))
		sub, err = c.d.RotateSecret(ctx, sub.ID, signing.Secret(keyCanary+"-next"), time.Hour)
		c.owners.add("%+v %#v %v", sub, sub, err)
		_, err = c.d.RotateSecret(ctx, sub.ID, signing.Secret("whsec_"+keyCanary), time.Hour)
		c.private.add("%v", err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("a host's own", "subscription", sub)
		c.owners.add("%s", log.String())
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
