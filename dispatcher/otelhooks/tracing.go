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

// destination is what spans are named after.
const destination = "webhooks"

// tracing makes the spans, and with them measures attempts.
type tracing struct {
	tracer  trace.Tracer
	metrics *metrics
}

func (t *tracing) hooks() *dispatcher.Tracer {
	return &dispatcher.Tracer{Publish: t.publish, Attempt: t.attempt}
}

// publish makes the span of publishing, which is the creation context of its events.
func (t *tracing) publish(
	ctx context.Context,
	evs []events.Event,
) (context.Context, string, func(error)) {
	attrs := append(messaging("publish"), semconv.MessagingOperationTypeSend)
	if len(evs) == 1 {
		attrs = append(
			attrs,
			semconv.MessagingMessageID(evs[0].ID),
			keyEventType.String(evs[0].Type),
		)
	} else {
		attrs = append(attrs, semconv.MessagingBatchMessageCount(len(evs)))
	}
	var own []trace.Link
	for i := range evs {
		own = append(own, linkTo(parseTrace(evs[i].Trace))...)
	}
	ctx, span := t.tracer.Start(
		ctx,
		"publish "+destination,
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

// attempt makes the spans of an attempt.
func (t *tracing) attempt(
	ctx context.Context,
	i dispatcher.Info,
) (context.Context, string, func(dispatcher.Info)) {
	t.metrics.started(ctx, &i)
	published := parseTrace(i.Trace)
	link := linkTo(published)
	traced := trace.ContextWithSpanContext(
		ctx,
		published,
	) // in no case the span that Run was called in
	if waited, first := waiting(&i); first {
		traced = t.queued(traced, &i, waited, link)
	}
	traced, span := t.tracer.Start(
		traced,
		"POST",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(
			i.Attempt.At,
		),
		trace.WithLinks(link...),
		trace.WithAttributes(request(&i)...),
	)
	return traced, traceparent(span), func(i dispatcher.Info) {
		t.metrics.ended(traced, &i)
		answered(span, &i)
		span.End(trace.WithTimestamp(i.Attempt.At.Add(i.Attempt.Duration)))
	}
}

// queued makes the span of the time before the first attempt, and returns it as the parent of that.
func (t *tracing) queued(
	ctx context.Context,
	i *dispatcher.Info,
	since time.Time,
	link []trace.Link,
) context.Context {
	ctx, span := t.tracer.Start(
		ctx,
		"queue "+destination,
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithTimestamp(since),
		trace.WithLinks(link...),
		trace.WithAttributes(messaging("queue")...),
		trace.WithAttributes(about(i)...),
	)
	span.End(trace.WithTimestamp(i.Attempt.At))
	return ctx
}

// waiting returns since when the delivery that i starts the first attempt of has been waiting. The
// store's clock may be ahead of this host's.
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

// request are the attributes of an attempt that starts.
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
	ctx := propagation.TraceContext{}.Extract(
		context.Background(),
		propagation.MapCarrier{"traceparent": traceparent},
	)
	return trace.SpanContextFromContext(ctx)
}
