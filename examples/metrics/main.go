// Metrics is a host that Prometheus can scrape: otelhooks measures, OpenTelemetry's exporter
// translates for Prometheus, and the host's mux serves /metrics. To have something to measure, it
// publishes an event twice a second, to an endpoint of its own that fails one time in four.
//
//	go run . -addr 127.0.0.1:9464   and then: curl http://127.0.0.1:9464/metrics
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9464", "address to serve /metrics on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	h, err := newHost()
	if err != nil {
		l.Close()
		return err
	}
	server := &http.Server{Handler: h.mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	defer server.Close()
	delivering := make(chan error, 1)
	go func() { delivering <- h.webhooks.Run(ctx) }()
	_, err = h.webhooks.Subscribe(ctx,
		store.Subscription{URL: "http://" + l.Addr().String() + "/hook"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "scrape http://%s/metrics\n", l.Addr())
	if err := h.publish(ctx); err != nil {
		return err
	}
	return <-delivering
}

// host is the program that has webhooks.
type host struct {
	mux      *http.ServeMux
	webhooks *dispatcher.Dispatcher
	requests atomic.Int64 // to the endpoint
}

// newHost shows what a host needs for metrics: a registry, the exporter on it, otelhooks, and a
// route.
func newHost() (*host, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	h := &host{mux: http.NewServeMux()}
	h.webhooks, err = otelhooks.New(memstore.New(), &dispatcher.Options{
		// The endpoint is on this machine, to which deliveries are refused by default.
		AllowLoopback: true,
		Backoff:       dispatcher.Backoff{Initial: 100 * time.Millisecond},
		Logger:        slog.New(slog.DiscardHandler),
	}, &otelhooks.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		TracerProvider: noop.NewTracerProvider(), // or the host's
	})
	if err != nil {
		return nil, err
	}
	h.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	h.mux.HandleFunc("POST /hook", h.hook)
	return h, nil
}

// hook is the endpoint.
func (h *host) hook(w http.ResponseWriter, _ *http.Request) {
	if h.requests.Add(1)%4 == 1 {
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

// publish publishes an event at once, and then one every half second until ctx ends.
func (h *host) publish(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		e, err := events.New("order.created", map[string]string{"item": "tea"})
		if err != nil {
			return err
		}
		if err := h.webhooks.Publish(ctx, e); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
