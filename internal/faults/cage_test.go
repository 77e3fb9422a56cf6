package faults_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

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

func (c *cage) deliveries(t *testing.T, id string) []store.Delivery {
	t.Helper()
	page, err := c.d.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: id})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
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
