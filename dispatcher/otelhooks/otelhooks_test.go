package otelhooks_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestHostObserver: what the host has in its Observer is called as well, and its Options are left
// alone.
func TestHostObserver(t *testing.T) {
	published, attempts := make(chan int, 1), make(chan dispatcher.Info, 1)
	var given *dispatcher.Options
	h := newHost(t, func(o *dispatcher.Options, _ *otelhooks.Options) {
		o.Observer.OnPublish = func(evs []events.Event) { published <- len(evs) }
		o.Observer.OnAttempt = func(i dispatcher.Info) { attempts <- i }
		given = o
	})
	if given.Tracer != nil || given.Observer.OnBreakerOpen != nil {
		t.Error("New changed the options that it was given")
	}
	h.run(t)
	address, _ := endpoint(t, 200)
	h.subscribe(t, address)
	id := h.publish(t.Context(), t, "order.created")
	if got := <-published; got != 1 {
		t.Errorf("OnPublish: got %d events, want 1", got)
	}
	if got := <-attempts; got.EventID != id {
		t.Errorf("OnAttempt: got event %s, want %s", got.EventID, id)
	}
	if got := series(t, h.collect(t)["outhook.publish.events"]); len(got) != 1 || got[0] != "=1" {
		t.Errorf("published: got %q, want 1", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *dispatcher.Options
		want string
	}{
		{"a Tracer", &dispatcher.Options{Tracer: &dispatcher.Tracer{}},
			"otelhooks: Options.Tracer is set; leave it nil"},
		{"what the dispatcher refuses", &dispatcher.Options{Concurrency: -1}, "otelhooks: dispatcher: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := otelhooks.New(memstore.New(), tt.o, nil); err == nil ||
				!strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("New: got error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestGlobalProviders: with nothing said, New works whether the host has set global providers or
// not.
func TestGlobalProviders(t *testing.T) {
	if _, err := otelhooks.New(memstore.New(), nil, nil); err != nil {
		t.Errorf("New: got error %v, want none", err)
	}
}

// TestStoreTrouble: the gauges say nothing when the store is closed, and an error when it fails;
// what Run meets is counted.
func TestStoreTrouble(t *testing.T) {
	reader, troubled := metric.NewManualReader(), make(chan string, 100)
	broken := &failing{Store: memstore.New()}
	broken.err.Store(&errDisk)
	d, err := otelhooks.New(broken, &dispatcher.Options{
		Observer: &dispatcher.Observer{OnStoreTrouble: func(op string, _ error) { troubled <- op }},
	}, &otelhooks.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	if got := <-troubled; got != "claim" {
		t.Errorf("OnStoreTrouble: got %s, want claim", got)
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); !errors.Is(err, errDisk) {
		t.Errorf("collect: got error %v, want %v", err, errDisk)
	}
	cancel()
	<-ended
	broken.err.Store(&store.ErrClosed)
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Errorf("collect from a closed store: got error %v, want none", err)
	}
	found := false
	for _, m := range got.ScopeMetrics[0].Metrics {
		switch {
		case m.Name == "outhook.store.errors":
			found = strings.HasPrefix(series(t, m)[0], "outhook.operation=claim =")
		case strings.HasPrefix(m.Name, "outhook.deliveries"):
			t.Errorf("%s of a closed store: got %v, want none", m.Name, series(t, m))
		}
	}
	if !found {
		t.Errorf(
			"outhook.store.errors: want some of the operation claim in %+v",
			got.ScopeMetrics[0].Metrics,
		)
	}
}

var errDisk = errors.New("disk trouble")

// failing is a store that fails.
type failing struct {
	store.Store
	err atomic.Pointer[error]
}

func (f *failing) Claim(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return store.ClaimResult{}, *f.err.Load()
}

func (f *failing) Stats(context.Context, string) (store.Stats, error) {
	return store.Stats{}, *f.err.Load()
}
