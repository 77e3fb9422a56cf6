package otelhooks_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// New stands in place of dispatcher.New. The reader is any of OpenTelemetry's: examples/saas serves
// what it measures to Prometheus.
func ExampleNew() {
	customer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer customer.Close()
	delivered := make(chan struct{})
	reader := metric.NewManualReader()
	d, err := otelhooks.New(memstore.New(), &dispatcher.Options{
		AllowLoopback: true, // the customer is on this machine
		Observer:      &dispatcher.Observer{OnDelivered: func(dispatcher.Info) { close(delivered) }},
		Logger:        slog.New(slog.DiscardHandler),
	}, &otelhooks.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		TracerProvider: noop.NewTracerProvider(),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Run(ctx) }()
	if _, err := d.Subscribe(ctx, store.Subscription{URL: customer.URL}); err != nil {
		log.Fatal(err)
	}
	e, err := events.New("order.created", "tea")
	if err == nil {
		err = d.Publish(ctx, e)
	}
	if err != nil {
		log.Fatal(err)
	}
	<-delivered
	var measured metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &measured); err != nil {
		log.Fatal(err)
	}
	for _, m := range measured.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "outhook.attempts" {
			fmt.Println(m.Name, sum.DataPoints[0].Value)
		}
	}
	stop()
	fmt.Println(<-stopped)
	// Output:
	// outhook.attempts 1
	// <nil>
}
