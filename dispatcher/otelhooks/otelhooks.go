package otelhooks

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Scope is the name of the instrumentation scope.
const Scope = "github.com/outhook/outhook/dispatcher/otelhooks"

// Options say where telemetry is sent.
type Options struct {
	// MeterProvider takes the metrics. If nil, OpenTelemetry's global one.
	MeterProvider metric.MeterProvider

	// TracerProvider takes the spans. If nil, OpenTelemetry's global one. With one of package
	// trace/noop nothing is traced, and the Trace of an event is sent unchanged.
	TracerProvider trace.TracerProvider
}

// New is dispatcher.New with telemetry. The Observer of o is called too. A Tracer in o is an error,
// because only one traceparent can be sent. nil Options of either kind mean the defaults.
//
// The gauges stay registered with the MeterProvider. They report nothing once the store is closed.
func New(s store.Store, o *dispatcher.Options, t *Options) (*dispatcher.Dispatcher, error) {
	d, err := newDispatcher(s, o, t)
	if err != nil {
		return nil, fmt.Errorf("otelhooks: %w", err)
	}
	return d, nil
}

// newDispatcher is New with the errors as they are.
func newDispatcher(s store.Store, o *dispatcher.Options, t *Options) (*dispatcher.Dispatcher,
	error) {
	var with dispatcher.Options
	if o != nil {
		with = *o
	}
	if with.Tracer != nil {
		return nil, errors.New("Options.Tracer is set; leave it nil, because this package sets it")
	}
	to := t.withDefaults()
	meter := to.MeterProvider.Meter(Scope, metric.WithInstrumentationVersion(dispatcher.Version))
	m, err := newMetrics(meter)
	if err != nil {
		return nil, err
	}
	tracer := to.TracerProvider.Tracer(Scope, trace.WithInstrumentationVersion(dispatcher.Version))
	with.Tracer = (&tracing{tracer, m}).hooks()
	with.Observer = m.observer(with.Observer)
	d, err := dispatcher.New(s, &with)
	if err != nil {
		return nil, err
	}
	// Of the Dispatcher and not of the options: with OperationalEvents it has more types. Nothing
	// has been counted yet, as nobody else has the Dispatcher.
	m.declare(d.EventTypes())
	return d, registerGauges(meter, d)
}

// withDefaults returns a copy with all fields set. o may be nil.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	return c
}
