package dispatcher_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// The engine tests run in a synctest bubble: over the real stores, with a fake transport, in fake
// time.

// onEachStore runs a test in a bubble for each store.
func onEachStore(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Helper()
	t.Run("memstore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, memstore.New()) })
	})
	t.Run("boltstore", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "outhook.db")
		synctest.Test(t, func(t *testing.T) { test(t, openBolt(t, path)) })
	})
}

func openBolt(t *testing.T, path string) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// request is what a fake endpoint saw.
type request struct {
	At      time.Time
	URL     string
	EventID string
	Attempt int
	Body    string
	Header  http.Header
	Method  string
}

// reply is what a fake endpoint answers, after a delay. Never means never.
type reply struct {
	Status int
	Header http.Header
	Body   string
	Delay  time.Duration
	Err    error
}

const never = time.Duration(1 << 60)

// endpoints is a transport that reaches fake endpoints.
type endpoints struct {
	mu       sync.Mutex
	answer   func(request) reply // nil: 200
	requests []request
	inFlight map[string]int // by URL
	most     map[string]int // by URL, the largest inFlight
}

func (e *endpoints) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil { // an OPTIONS has none
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	n, _ := strconv.Atoi(r.Header.Get("webhook-attempt"))
	req := request{time.Now(), r.URL.String(), r.Header.Get("webhook-id"), n, string(body),
		r.Header.Clone(), r.Method}
	e.mu.Lock()
	if e.inFlight == nil {
		e.inFlight, e.most = make(map[string]int), make(map[string]int)
	}
	e.requests = append(e.requests, req)
	e.inFlight[req.URL]++
	e.most[req.URL] = max(e.most[req.URL], e.inFlight[req.URL])
	answer := e.answer
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.inFlight[req.URL]--
		e.mu.Unlock()
	}()
	a := reply{Status: 200}
	if answer != nil {
		a = answer(req)
	}
	if a.Delay > 0 {
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if a.Err != nil {
		return nil, a.Err
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	return &http.Response{StatusCode: a.Status, Header: a.Header,
		Body: io.NopCloser(bytes.NewBufferString(a.Body)), Request: r}, nil
}

func (e *endpoints) answers(f func(request) reply) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = f
}

// status makes every endpoint answer with the status at once.
func (e *endpoints) status(status int) {
	e.answers(func(request) reply { return reply{Status: status} })
}

// seen returns the requests so far, of one URL or ("") of all.
func (e *endpoints) seen(url string) []request {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []request
	for _, r := range e.requests {
		if url == "" || r.URL == url {
			out = append(out, r)
		}
	}
	return out
}

func (e *endpoints) mostInFlight(url string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most[url]
}

// engine is a dispatcher under test.
type engine struct {
	*dispatcher.Dispatcher
	t     *testing.T
	store store.Store
	*endpoints
	stopRun func() error
}

// newEngine makes a dispatcher that is not running yet. The options may be nil; the transport is
// the fake.
func newEngine(t *testing.T, s store.Store, o *dispatcher.Options) *engine {
	t.Helper()
	e := &engine{t: t, store: s, endpoints: &endpoints{}}
	e.restart(o)
	return e
}

// restart replaces the dispatcher by a new one on the same store, as a restart of the host would.
func (e *engine) restart(o *dispatcher.Options) {
	e.t.Helper()
	var opts dispatcher.Options
	if o != nil {
		opts = *o
	}
	if opts.Transport == nil {
		opts.Transport = e.endpoints
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	d, err := dispatcher.New(e.store, &opts)
	if err != nil {
		e.t.Fatal(err)
	}
	e.Dispatcher = d
}

// run starts Run; it is stopped at cleanup at the latest.
func (e *engine) run() {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Dispatcher.Run(ctx) }()
	var once sync.Once
	var err error
	e.stopRun = func() error {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	e.t.Cleanup(func() {
		if err := e.stopRun(); err != nil && !errors.Is(err, store.ErrClosed) {
			e.t.Errorf("Run returned %v, want nil", err)
		}
	})
}

func (e *engine) stop() {
	e.t.Helper()
	if err := e.stopRun(); err != nil {
		e.t.Errorf("Run returned %v, want nil", err)
	}
}

// manySubscriptions is a quota without a limit of subscriptions.
func manySubscriptions(string) dispatcher.Quota {
	return dispatcher.Quota{Subscriptions: dispatcher.Unlimited}
}

func (e *engine) subscribe(url string, patterns ...string) store.Subscription {
	e.t.Helper()
	sub, err := e.Subscribe(e.t.Context(), store.Subscription{URL: url, Events: patterns})
	if err != nil {
		e.t.Fatal(err)
	}
	return sub
}

func (e *engine) publish(eventType string, payload any) events.Event {
	e.t.Helper()
	ev, err := events.New(eventType, payload)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := e.Publish(e.t.Context(), ev); err != nil {
		e.t.Fatal(err)
	}
	return ev
}

// deliveries returns all deliveries, newest first.
func (e *engine) deliveries() []store.Delivery {
	e.t.Helper()
	page, err := e.Deliveries(e.t.Context(), store.DeliveryQuery{AnyTenant: true, Limit: 100_000})
	if err != nil {
		e.t.Fatal(err)
	}
	return page.Items
}

// delivery returns the only delivery of an event.
func (e *engine) delivery(ev events.Event) store.Delivery {
	e.t.Helper()
	page, err := e.Deliveries(e.t.Context(), store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID})
	if err != nil {
		e.t.Fatal(err)
	}
	if len(page.Items) != 1 {
		e.t.Fatalf("event %s has %d deliveries, want 1", ev.ID, len(page.Items))
	}
	return page.Items[0]
}

func (e *engine) wantState(ev events.Event, want store.State) store.Delivery {
	e.t.Helper()
	got := e.delivery(ev)
	if got.State != want {
		e.t.Errorf("delivery of %s is %s, want %s", ev.ID, got.State, want)
	}
	return got
}

// states counts deliveries by state.
func (e *engine) states() map[store.State]int {
	e.t.Helper()
	n := make(map[store.State]int)
	for _, d := range e.deliveries() {
		n[d.State]++
	}
	return n
}

// pass lets fake time go by.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// settle lets everything happen that needs no more than the store's own few milliseconds.
func settle() { pass(20 * time.Millisecond) }

// noJitter is the default backoff without its random part.
var noJitter = dispatcher.Backoff{Jitter: -1}

func nthURL(n int) string { return fmt.Sprintf("https://endpoint-%d.example/hook", n) }
