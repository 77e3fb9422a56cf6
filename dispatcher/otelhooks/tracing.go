package otelhooks

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// destination is what spans are named after. It is the same for all: the conventions want a name of
// few values, and a subscription's or an event type's has many.
const destination = "webhooks"

// tracing makes the spans, and with them measures attempts. It may be used by any number of
// goroutines.
type tracing struct {
	tracer  trace.Tracer
	metrics *metrics
}

// hooks returns what the Dispatcher calls.
func (t *tracing) hooks() *dispatcher.Tracer {
	return &dispatcher.Tracer{Publish: t.publish, Attempt: t.attempt}
}

// publish makes the span of publishing, which is the creation context of its events. Its operation
// is a send, since the conventions have a create span for one event only. Events may come with a
// Trace of their own, which stays; the span links to those.
func (t *tracing) publish(
	ctx context.Context, evs []events.Event,
) (context.Context, string, func(error)) {
	attrs := append(messaging("publish"), semconv.MessagingOperationTypeSend)
	if len(evs) == 1 {
		attrs = append(attrs, semconv.MessagingMessageID(evs[0].ID), keyEventType.String(evs[0].Type))
	} else {
		attrs = append(attrs, semconv.MessagingBatchMessageCount(len(evs)))
	}
	var own []trace.Link
	for i := range evs {
		own = append(own, linkTo(parseTrace(evs[i].Trace))...)
	}
	ctx, span := t.tracer.Start(ctx, "publish "+destination,
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithLinks(own...),
		trace.WithAttributes(attrs...),
	)
	return ctx, traceparent(span), func(err error) {
		if err != nil {
			span.SetAttributes(semconv.ErrorTypeOther)
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// attempt makes the spans of an attempt. They belong to the trace in which the event was published,
// and are sampled with it: with a trace of their own and one in a hundred sampled, both would be
// seen once in ten thousand. Links to the publishing span are there for backends that follow those.
func (t *tracing) attempt(
	ctx context.Context, i dispatcher.Info,
) (context.Context, string, func(dispatcher.Info)) {
	t.metrics.started(ctx, &i)
	published := parseTrace(i.Trace)
	link := linkTo(published)
	// Also if it is not valid: the span that Run was called in has nothing to do with the event.
	traced := trace.ContextWithSpanContext(ctx, published)
	if waited, first := waiting(&i); first {
		traced = t.queued(traced, &i, waited, link)
	}
	traced, span := t.tracer.Start(traced, "POST",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(i.Attempt.At),
		trace.WithLinks(link...),
		trace.WithAttributes(request(&i)...),
	)
	return traced, traceparent(span), func(i dispatcher.Info) {
		t.metrics.ended(traced, &i)
		answered(span, &i)
		// By the attempt's own times: this is called when its outcome has been decided, which is
		// later than its end.
		span.End(trace.WithTimestamp(i.Attempt.At.Add(i.Attempt.Duration)))
	}
}

// queued makes the span of the time before the first attempt, and returns it as the parent of that.
// It is made when that time is over: nobody could end it if the process that began it were gone.
func (t *tracing) queued(
	ctx context.Context, i *dispatcher.Info, since time.Time, link []trace.Link,
) context.Context {
	ctx, span := t.tracer.Start(ctx, "queue "+destination,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithTimestamp(since),
		trace.WithLinks(link...),
		trace.WithAttributes(messaging("queue")...),
		trace.WithAttributes(about(i)...),
	)
	span.End(trace.WithTimestamp(i.Attempt.At))
	return ctx
}

// waiting returns since when a delivery has been waiting for its first attempt; first is false if i
// is about another attempt. If the store's clock is ahead of this host's, it has not waited: a
// negative time would make no sense in a span or a histogram.
func waiting(i *dispatcher.Info) (since time.Time, first bool) {
	if i.Attempt.Number != 1 {
		return time.Time{}, false
	}
	if i.EnqueuedAt.After(i.Attempt.At) {
		return i.Attempt.At, true
	}
	return i.EnqueuedAt, true
}

// messaging are the attributes of a span that is about the queue.
func messaging(operation string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("outhook"),
		semconv.MessagingDestinationName(destination),
		semconv.MessagingOperationName(operation),
	}
}

// about are the attributes that say which delivery a span is about.
func about(i *dispatcher.Info) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingMessageID(i.EventID),
		keyEventType.String(i.EventType),
		semconv.MessagingDestinationSubscriptionName(i.Subscription.ID),
	}
}

// request are the attributes of an attempt that starts. The URL's path and query are left out:
// those of webhooks often are credentials.
func request(i *dispatcher.Info) []attribute.KeyValue {
	attrs := append(about(i), semconv.HTTPRequestMethodPost)
	if i.Attempt.Number > 1 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(i.Attempt.Number-1))
	}
	u, err := url.Parse(i.Subscription.URL)
	if err != nil {
		return attrs
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if n, err := strconv.Atoi(port); err == nil {
		attrs = append(attrs, semconv.ServerPort(n))
	}
	return append(attrs, semconv.ServerAddress(u.Hostname()), semconv.URLScheme(u.Scheme))
}

// answered sets the result of the attempt on its span.
func answered(span trace.Span, i *dispatcher.Info) {
	span.SetAttributes(keyState.String(string(i.State)))
	if i.Attempt.Status != 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(i.Attempt.Status))
	}
	if class := errorType(i); class != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(class))
		span.SetStatus(codes.Error, i.Attempt.Error)
	}
}

// traceparent returns the traceparent of a span, or "" if its context is not valid.
func traceparent(span trace.Span) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), span), carrier)
	return carrier["traceparent"]
}

// linkTo returns a link to the span that published an event, or none if that is not valid.
func linkTo(published trace.SpanContext) []trace.Link {
	if !published.IsValid() {
		return nil
	}
	return []trace.Link{{SpanContext: published}}
}

// parseTrace parses a traceparent. The result of any other text is not valid.
func parseTrace(traceparent string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(),
		propagation.MapCarrier{"traceparent": traceparent})
	return trace.SpanContextFromContext(ctx)
}
