package otelhooks_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// host is a program with a dispatcher and OpenTelemetry's SDK.
type host struct {
	*dispatcher.Dispatcher
	store  *memstore.Store
	reader *metric.ManualReader
	spans  *tracetest.InMemoryExporter
	tracer trace.Tracer
	over   chan dispatcher.Info // deliveries that have ended
	stop   func()
}

// newHost returns a host. change, if not nil, alters its options.
func newHost(t *testing.T, change func(o *dispatcher.Options, to *otelhooks.Options)) *host {
	t.Helper()
	h := &host{
		store:  memstore.New(),
		reader: metric.NewManualReader(),
		spans:  tracetest.NewInMemoryExporter(),
		over:   make(chan dispatcher.Info, 1000),
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(h.spans))
	h.tracer = provider.Tracer("the host's own")
	ended := func(i dispatcher.Info) { h.over <- i }
	o := &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Backoff:       dispatcher.Backoff{Initial: time.Millisecond, Max: time.Millisecond},
		Logger:        slog.New(slog.DiscardHandler),
		Observer:      &dispatcher.Observer{OnDelivered: ended, OnDead: ended},
	}
	to := &otelhooks.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(h.reader)),
		TracerProvider: provider,
	}
	if change != nil {
		change(o, to)
	}
	var err error
	if h.Dispatcher, err = otelhooks.New(h.store, o, to); err != nil {
		t.Fatal(err)
	}
	return h
}

// run has the host deliver until the end of the test, or stop.
func (h *host) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		h.stop = func() {}
	}
	t.Cleanup(func() { h.stop() })
}

func (h *host) subscribe(t *testing.T, url string) store.Subscription {
	t.Helper()
	sub, err := h.Subscribe(t.Context(), store.Subscription{
		ID: uuid.NewString(), URL: url, Headers: map[string]string{
			"X-Token": canary}, Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// publish publishes an event in ctx and returns its ID.
func (h *host) publish(ctx context.Context, t *testing.T, eventType string) string {
	t.Helper()
	e, err := events.New(eventType, map[string]string{"text": canary})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(ctx, e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// ended waits for the end of n deliveries.
func (h *host) ended(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-h.over:
		case <-time.After(time.Minute):
			t.Fatal("deliveries do not end")
		}
	}
}

// collect returns the metrics of the package by their names.
func (h *host) collect(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := h.reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]metricdata.Metrics)
	for _, scope := range got.ScopeMetrics {
		if scope.Scope.Name != otelhooks.Scope || scope.Scope.Version != dispatcher.Version {
			t.Errorf("scope: got %+v, want %s %s", scope.Scope, otelhooks.Scope, dispatcher.Version)
		}
		for _, m := range scope.Metrics {
			byName[m.Name] = m
		}
	}
	return byName
}

// canary stands wherever something is that must not be in telemetry.
const canary = "canary"

// endpoint is a receiver that answers with the statuses in turn, the last one for ever, and tells
// the traceparents it got. The status 0 is no answer: it closes the connection.
func endpoint(t *testing.T, statuses ...int) (url string, traceparents <-chan string) {
	t.Helper()
	got := make(chan string, 1000)
	next := make(chan int, len(statuses))
	for _, s := range statuses {
		next <- s
	}
	last := statuses[len(statuses)-1]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("traceparent")
		status := last
		select {
		case status = <-next:
		default:
		}
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(canary))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + canary + "?token=" + canary, got
}
