// Saas is a product with webhooks, whole and small, to copy from: its customers, who are shops,
// log in or call its API, place orders, and have webhooks of their own; its staff look after all of
// them. It is one process with one file.
//
//	go run . -dev     in this folder; it prints where it is, and who can log in
//
// Read it in this order:
//
//	main.go       opens everything, serves, and stops without losing anything
//	product.go    what the product does: an order and its event are stored together or not at all
//	webhooks.go   the event types, and how they are delivered
//	site.go       the routes: the product's own, the webhook API, the console
//	accounts.go   who somebody is: passwords, sessions and API keys
//
// product_test.go has the tests of the product, by package dispatchertest; main_test.go runs the
// program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	bolt "go.etcd.io/bbolt"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"golang.org/x/sync/errgroup"

	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/store/boltstore"
)

// settings are what the command line says.
type settings struct {
	addr     string // of the product, for everybody
	internal string // of /metrics and /healthz, for the machines that watch it
	data     string // a folder
	dev      bool   // endpoints may be on this machine, and use http
}

func main() {
	var o settings
	flag.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` of the product")
	flag.StringVar(&o.internal, "internal", "127.0.0.1:9464", "`address` of /metrics and /healthz")
	flag.StringVar(&o.data, "data", "saas-data", "`folder` of the data, which is made if need be")
	flag.BoolVar(&o.dev, "dev", false, "deliver to this machine and over http, log in by http")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "saas:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Then it takes no more requests, lets those that are under way finish,
// and deliveries too, and closes the file. What is pending goes out after the next start.
func run(ctx context.Context, out io.Writer, o settings) (err error) {
	// First the addresses: where they are taken, nothing else begins.
	site, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	defer site.Close()
	internal, err := net.Listen("tcp", o.internal)
	if err != nil {
		return err
	}
	defer internal.Close()

	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(o.data, "saas.db"), 0o600, &bolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", o.data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := boltstore.New(db, nil) // in the product's own file, so that it can use PublishTx
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return err
	}
	hooks, err := otelhooks.New(store, webhookOptions(o.dev, mail), &otelhooks.Options{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
	})
	if err != nil {
		return err
	}
	p := &product{db: db, store: store, hooks: hooks, sessions: sessions{plain: o.dev}}
	if err := p.createAccounts(out); err != nil {
		return err
	}
	handler, err := p.routes()
	if err != nil {
		return err
	}
	watched := http.NewServeMux()
	watched.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	watched.HandleFunc("GET /healthz", p.health)

	fmt.Fprintf(out, "serving http://%s, and http://%s/metrics\n", site.Addr(), internal.Addr())
	running, ctx := errgroup.WithContext(ctx) // when one of them fails, the others stop
	running.Go(func() error { return hooks.Run(ctx) })
	running.Go(func() error { return serve(ctx, site, handler) })
	running.Go(func() error { return serve(ctx, internal, watched) })
	err = running.Wait()
	fmt.Fprintln(out, "stopped")
	return err
}

// serve serves until ctx ends, and returns when the requests that are under way have.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// mail is where a real product sends an e-mail to the people of a tenant.
func mail(tenant, text string) { slog.Warn("mail", "to", tenant, "text", text) }
