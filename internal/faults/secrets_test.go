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

// The canaries: texts that may be in few places only.
const (
	keyCanary     = "canary-of-the-signature-key"
	headerCanary  = "canary-of-a-header-value"
	queryCanary   = "canary-of-the-query"
	payloadCanary = "canary-of-the-payload"
)

// TestFaultSecrets runs everything with canaries in all that is secret, and looks for them in all
// that comes out: logs, errors, answers, records and statistics.
func TestFaultSecrets(t *testing.T) {
	c := newCage(t)
	c.useAPI(t)
	c.deliver(t)
	c.useOwnerAPI(t)
	c.useDispatcher(t)
	for _, canary := range []string{keyCanary, headerCanary, queryCanary, payloadCanary} {
		if !c.wire.contains(canary) && canary != keyCanary {
			t.Errorf("%s never went to an endpoint: the test has not run what it should", canary)
		}
		c.private.wantNo(t, canary)
	}
	c.wire.wantNo(t, keyCanary)
	// An owner may see the URL, the headers and what the endpoint answered, and no key.
	c.owners.wantNo(t, keyCanary)
	c.owners.wantNo(t, payloadCanary)
	for _, key := range c.keys { // shown once, in the answer that is not among these
		for _, s := range []*sink{&c.wire, &c.owners, &c.private} {
			s.wantNo(t, strings.TrimPrefix(key, "whsec_"))
		}
	}
	if n := len(c.private.parts); n < 200 {
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

// await waits until a text has come out.
func (s *sink) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !s.contains(text); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %v", text, patience)
		}
	}
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
	keys    []string // that rotate has made
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
		Backoff: dispatcher.Backoff{
			Initial: time.Millisecond, Max: time.Millisecond, MaxAttempts: 2,
		},
		OperationalEvents: true,
		Logger: slog.New(slog.NewJSONHandler(&c.private,
			&slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer: c.observer(),
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

// observer listens to everything.
func (c *cage) observer() *dispatcher.Observer {
	sub := func(sub store.Subscription) { c.owners.add("%+v %#v", sub, sub) }
	return &dispatcher.Observer{
		OnPublish: func(evs []events.Event) {
			c.private.add("%d events, the first %s", len(evs), evs[0].ID)
		},
		OnSubscription: sub,
		OnDelete:       sub,
		OnDisabled:     func(s store.Subscription) { sub(s); c.private.add("%s", s.DisabledReason) },
		OnAttemptStart: c.observe,
		OnAttempt: func(i dispatcher.Info) {
			c.observe(i)
			if i.EventType == faults.Type {
				c.done <- struct{}{}
			}
		},
		OnDelivered:    c.observe,
		OnDead:         c.observe,
		OnBreakerOpen:  c.observe,
		OnBreakerClose: c.observe,
		OnCanceled:     func(x dispatcher.Cancellation) { c.private.add("%+v", x) },
		OnStoreTrouble: func(op string, err error) { c.private.add("%s %v", op, err) },
	}
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
	c.urls = append(c.urls, tls.URL, "http://"+silent.Addr().String(), "http://127.0.0.1:1025",
		"http://nowhere.invalid")
}

// useAPI calls all endpoints of the API, well and badly.
func (c *cage) useAPI(t *testing.T) {
	t.Helper()
	for _, url := range c.urls {
		hook, _ := json.Marshal(map[string]any{
			"url": url + "/hook?token=" + queryCanary, "headers": map[string]string{"X-Token": headerCanary},
			"signature_key": keyCanary,
		})
		id := c.call(t, "subscribe", string(hook))
		c.call(t, "info", `{"id":"`+id+`"}`)
		c.call(t, "update", `{"id":"`+id+`","signature_key":"`+keyCanary+`"}`)
	}
	c.callPrivate(t, "subscribe",
		`{"url":"`+c.operational(t)+`","events":["webhook.disabled","webhook.exhausted"]}`)
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

// operational makes an endpoint for operational events and returns its URL. What it gets is not
// about any one event.
func (c *cage) operational(t *testing.T) (url string) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.private.add("%s %v %s", r.URL, r.Header, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// useOwnerAPI calls the other endpoints, which read and change each webhook, with good and bad
// requests.
func (c *cage) useOwnerAPI(t *testing.T) {
	t.Helper()
	for _, sub := range c.all(t) {
		id := `"id":"` + sub.ID + `"`
		hook := `"webhook_id":"` + sub.ID + `"`
		c.callPrivate(t, "stats", `{`+id+`}`)
		c.callPrivate(t, "ping", `{`+id+`}`)
		for _, d := range c.deliveries(t, sub.ID) {
			event := `"event_id":"` + d.EventID + `"`
			c.callPrivate(t, "attempts", `{`+hook+`,`+event+`}`)
			c.callPrivate(t, "redeliver", `{`+hook+`,`+event+`}`)
		}
		c.callPrivate(t, "replay", `{`+hook+`,"dry_run":true}`)
		c.callPrivate(t, "replay", `{`+hook+`}`)
		c.callPrivate(t, "rotate", `{`+id+`,"signature_key":"whsec_`+keyCanary+`"}`)
		c.callPrivate(t, "rotate", `{`+id+`,"signature_key":"`+keyCanary+`"`)
		c.rotate(t, sub.ID)
		c.callPrivate(t, "ping", `{`+id+`}`)
	}
	c.callPrivate(t, "deliveries", `{"count":true}`)
	c.callPrivate(t, "deliveries", `{"event_id":"`+payloadCanary[:3]+`"}`)
	c.callPrivate(t, "events", `{}`)
	deleted := c.all(t)[0]
	c.callPrivate(t, "delete", `{"id":"`+deleted.ID+`"}`)
	c.callPrivate(t, "rotate", `{"id":"`+deleted.ID+`","signature_key":"`+keyCanary+`"}`)
}

// rotate gives a webhook a key that is made for it, and keeps the answer to itself.
func (c *cage) rotate(t *testing.T, id string) {
	t.Helper()
	var aside sink
	c.callInto(t, &aside, "rotate", `{"id":"`+id+`"}`)
	_, key, _ := strings.Cut(aside.parts[0], `"signature_key":"`)
	key, _, found := strings.Cut(key, `"`)
	if !found || len(key) < 32 {
		t.Fatalf("rotate answered %s, want a key", aside.parts[0])
	}
	c.keys = append(c.keys, key)
}

func (c *cage) deliveries(t *testing.T, id string) []store.Delivery {
	t.Helper()
	page, err := c.d.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: id})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// call calls an endpoint whose answer is a webhook, or some, and returns the ID if there is one.
func (c *cage) call(t *testing.T, endpoint, body string) (id string) {
	t.Helper()
	return c.callInto(t, &c.owners, endpoint, body)
}

// callPrivate calls an endpoint whose answer has none of the canaries.
func (c *cage) callPrivate(t *testing.T, endpoint, body string) {
	t.Helper()
	c.callInto(t, &c.private, endpoint, body)
}

// callInto calls the API. An answer that is no success has no canary, at any endpoint.
func (c *cage) callInto(t *testing.T, answers *sink, endpoint, body string) (id string) {
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
	answers.add("%v %s", res.Header, answer)
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
	other := events.Event{ID: e.ID, Type: e.Type, Time: e.Time}
	other.Payload = []byte(`"` + payloadCanary + ` again"`)
	if err := c.d.Publish(ctx, other); err != nil {
		c.private.add("%v", err)
	}
	for _, sub := range c.all(t) {
		a, err := c.d.Ping(ctx, sub.ID)
		c.private.add("%+v %v", a, err)
		c.private.add("%v", c.d.Redeliver(ctx, sub.ID, e.ID))
	}
	for _, operational := range []string{events.TypeDisabled, events.TypeExhausted} {
		c.private.await(t, `"type":"`+operational+`"`)
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
		one, err := c.d.SubscriptionStats(ctx, sub.ID)
		c.private.add("%+v %v %s", one, err, asJSON(t, one))
	}
	for _, delivery := range page.Items {
		c.private.add("%v", c.d.Erase(ctx, delivery.Tenant, delivery.EventID))
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
