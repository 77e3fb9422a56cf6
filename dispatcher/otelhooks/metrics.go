package otelhooks

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// The attributes that have no semantic convention. Each has few values, as a metrics backend keeps
// a series for every combination: none comes from an endpoint, a subscription or a tenant.
const (
	keyState     = attribute.Key("outhook.delivery.state")
	keyStatus    = attribute.Key("outhook.status_class")
	keyEventType = attribute.Key("outhook.event.type")
	keyBreaker   = attribute.Key("outhook.breaker.state")
	keyOperation = attribute.Key("outhook.operation")
)

// metrics are the instruments that count what happens. The gauges are apart, see registerGauges.
// Its methods may be called by any number of goroutines once declare has been.
type metrics struct {
	types map[string]bool // the declared event types; nil if there are none

	published metric.Int64Counter     // events
	queue     metric.Float64Histogram // seconds from publish to the first attempt
	answer    metric.Float64Histogram // seconds of an attempt
	attempts  metric.Int64Counter     // by the state of the delivery after them
	breaker   metric.Int64Counter     // changes
	disabled  metric.Int64Counter     // subscriptions
	outages   metric.Int64Counter     // of the host's own network
	trouble   metric.Int64Counter     // failed calls of the store, by operation
}

// The buckets, in seconds. Those of attempts are what the conventions for HTTP clients advise, and
// more up to what Options.Timeout may be; a queue may be long.
var (
	answerBuckets = metric.WithExplicitBucketBoundaries(
		.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 15, 30, 60)
	queueBuckets = metric.WithExplicitBucketBoundaries(
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 60, 300, 1800, 7200)
)

// newMetrics makes the instruments. Its error joins those of all of them.
func newMetrics(meter metric.Meter) (*metrics, error) {
	m := &metrics{}
	var errs []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		errs = append(errs, err)
		return c
	}
	histogram := func(name, description string,
		buckets metric.HistogramOption) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"),
			metric.WithDescription(description), buckets)
		errs = append(errs, err)
		return h
	}
	m.published = counter("outhook.publish.events", "{event}", "Events published.")
	m.queue = histogram("outhook.queue.duration",
		"Time from publish to the start of the first attempt.", queueBuckets)
	m.answer = histogram("outhook.attempt.duration",
		"Duration of attempts, to the end of the answer.", answerBuckets)
	m.attempts = counter("outhook.attempts", "{attempt}",
		"Attempts, by what they made of the delivery.")
	m.breaker = counter("outhook.breaker.changes", "{change}", "Breakers that opened or closed.")
	m.disabled = counter("outhook.subscriptions.disabled", "{subscription}",
		"Subscriptions unsubscribed by the dispatcher.")
	m.outages = counter("outhook.outages", "{outage}", "Outages of the host's own network.")
	m.trouble = counter("outhook.store.errors", "{error}",
		"Trouble with the store, by what was asked of it.")
	return m, errors.Join(errs...)
}

// declare sets the event types. It must be called before anything is counted, or not at all: types
// is read without a lock.
func (m *metrics) declare(types []events.Type) {
	for _, t := range types {
		if m.types == nil {
			m.types = make(map[string]bool)
		}
		m.types[t.Name] = true
	}
}

// eventType adds the attribute for an event type, if the host has declared its types.
func (m *metrics) eventType(attrs []attribute.KeyValue, eventType string) []attribute.KeyValue {
	if m.types == nil {
		return attrs
	}
	// One that is not declared can still be there: from before the host's catalogue was changed, or
	// from a transaction of the store, which checks no types.
	if !m.types[eventType] {
		eventType = semconv.ErrorTypeOther.Value.AsString()
	}
	return append(attrs, keyEventType.String(eventType))
}

// started records the start of an attempt. Retries are not in the queue's histogram: how long they
// waited is the host's Backoff.
func (m *metrics) started(ctx context.Context, i *dispatcher.Info) {
	if waited, first := waiting(i); first {
		m.queue.Record(ctx, i.Attempt.At.Sub(waited).Seconds(),
			metric.WithAttributes(m.eventType(nil, i.EventType)...))
	}
}

// ended records the result of an attempt. The Tracer calls it and not the Observer: calls of an
// Observer may be dropped, and have no span for an exemplar.
func (m *metrics) ended(ctx context.Context, i *dispatcher.Info) {
	var attrs []attribute.KeyValue
	if class := errorType(i); class != "" {
		attrs = append(attrs, semconv.ErrorTypeKey.String(class))
	}
	if i.Attempt.Status != 0 {
		attrs = append(attrs, keyStatus.String(statusClass(i.Attempt.Status)))
	}
	attrs = m.eventType(attrs, i.EventType)
	m.answer.Record(ctx, i.Attempt.Duration.Seconds(), metric.WithAttributes(attrs...))
	m.attempts.Add(ctx, 1, metric.WithAttributes(append(attrs, keyState.String(string(i.State)))...))
}

// errorType returns the error.type of an attempt, or "" if it succeeded.
func errorType(i *dispatcher.Info) string {
	if i.Attempt.Error == "" {
		return ""
	}
	if class := dispatcher.ErrorClass(i.Attempt.Error); class != "" {
		return string(class)
	}
	return semconv.ErrorTypeOther.Value.AsString()
}

// statusClass returns 1xx to 5xx, or other. The status itself would have as many values as
// endpoints can think of.
func statusClass(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}
