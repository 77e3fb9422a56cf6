package otelhooks_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// trail is what came of one event: the host's own span, those of the event in the order of its
// life, and what the endpoint got.
type trail struct {
	order                         trace.SpanContext
	publish, queue, first, second tracetest.SpanStub
	traceparents                  <-chan string

	eventID, subscriptionID, port string
}

// follow publishes an event inside a span of the host's, to an endpoint that fails once.
func follow(t *testing.T) *trail {
	t.Helper()
	h := newHost(t, nil)
	h.run(t)
	address, traceparents := endpoint(t, 500, 200)
	sub := h.subscribe(t, address)
	ctx, order := h.tracer.Start(t.Context(), "order")
	eventID := h.publish(ctx, t, "order.created")
	order.End()
	h.ended(t, 1)

	spans := h.spans.GetSpans()
	posts := all(spans, "POST")
	if len(spans) != 5 || len(posts) != 2 {
		t.Fatalf("spans: got %d, %d of them POST; want 5 and 2", len(spans), len(posts))
	}
	if text := fmt.Sprintf("%+v", spans); strings.Contains(text, canary) {
		t.Errorf("the canary is in the spans: %s", text)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &trail{
		order: order.SpanContext(),
		publish: one(
			t,
			spans,
			"publish webhooks",
		), queue: one(t, spans, "queue webhooks"), first: posts[0], second: posts[1],
		traceparents: traceparents,
		eventID:      eventID, subscriptionID: sub.ID, port: u.Port(),
	}
}

// TestSpansAreLinked: all is one trace, the host's, and what comes after the queue says where the
// event was published.
func TestSpansAreLinked(t *testing.T) {
	tr := follow(t)
	published := tr.publish.SpanContext
	wantParent(t, tr.publish, tr.order)
	wantParent(t, tr.queue, published)
	wantParent(t, tr.first, tr.queue.SpanContext)
	wantParent(t, tr.second, published)
	for _, s := range []tracetest.SpanStub{tr.queue, tr.first, tr.second} {
		if len(s.Links) != 1 || s.Links[0].SpanContext.TraceID() != published.TraceID() ||
			s.Links[0].SpanContext.SpanID() != published.SpanID() {
			t.Errorf(
				"%s: got links %v, want one to the span that the event was published in",
				s.Name,
				s.Links,
			)
		}
	}
	for i, s := range []tracetest.SpanStub{tr.first, tr.second} {
		want := fmt.Sprintf("00-%s-%s-01", s.SpanContext.TraceID(), s.SpanContext.SpanID())
		if got := <-tr.traceparents; got != want {
			t.Errorf("traceparent of request %d: got %q, want %q", i+1, got, want)
		}
	}
}

func TestSpansSayWhatHappened(t *testing.T) {
	tr := follow(t)
	const queued = "messaging.system=outhook messaging.destination.name=webhooks "
	delivery := " messaging.message.id=" + tr.eventID +
		" outhook.event.type=order.created messaging.destination.subscription.name=" + tr.subscriptionID
	request := delivery + " http.request.method=POST server.address=127.0.0.1 server.port=" + tr.port +
		" url.scheme=http"
	wantSpan(
		t,
		tr.publish,
		trace.SpanKindProducer,
		codes.Unset,
		queued+"messaging.operation.name=publish messaging.operation.type=send "+
			"outhook.event.type=order.created messaging.message.id="+tr.eventID,
	)
	wantSpan(t, tr.queue, trace.SpanKindConsumer, codes.Unset,
		queued+"messaging.operation.name=queue"+delivery)
	wantSpan(
		t,
		tr.first,
		trace.SpanKindClient,
		codes.Error,
		request+" http.response.status_code=500 error.type=http_status outhook.delivery.state=pending",
	)
	wantSpan(
		t,
		tr.second,
		trace.SpanKindClient,
		codes.Unset,
		request+" http.request.resend_count=1 http.response.status_code=200 "+
			"outhook.delivery.state=delivered",
	)
	for _, s := range []tracetest.SpanStub{tr.queue, tr.first, tr.second} {
		if s.EndTime.Before(s.StartTime) {
			t.Errorf("%s: got %v to %v, want it to go forward", s.Name, s.StartTime, s.EndTime)
		}
	}
	if !tr.queue.EndTime.Equal(tr.first.StartTime) {
		t.Errorf(
			"the queue ends at %v, want the start of the attempt, %v",
			tr.queue.EndTime,
			tr.first.StartTime,
		)
	}
}

func all(spans tracetest.SpanStubs, name string) (out []tracetest.SpanStub) {
	for _, s := range spans {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

func one(t *testing.T, spans tracetest.SpanStubs, name string) tracetest.SpanStub {
	t.Helper()
	found := all(spans, name)
	if len(found) != 1 {
		t.Fatalf("spans %q: got %d, want 1", name, len(found))
	}
	return found[0]
}

func wantParent(t *testing.T, s tracetest.SpanStub, want trace.SpanContext) {
	t.Helper()
	if s.Parent.SpanID() != want.SpanID() ||
		want.IsValid() && s.SpanContext.TraceID() != want.TraceID() {
		t.Errorf("parent of %s: got %s, want %s", s.Name, s.Parent.SpanID(), want.SpanID())
	}
}

func wantSpan(
	t *testing.T,
	s tracetest.SpanStub,
	kind trace.SpanKind,
	status codes.Code,
	attributes string,
) {
	t.Helper()
	if s.SpanKind != kind || s.Status.Code != status {
		t.Errorf("%s: got %v, %v, want %v, %v", s.Name, s.SpanKind, s.Status.Code, kind, status)
	}
	var got []string
	for _, a := range s.Attributes {
		got = append(got, string(a.Key)+"="+a.Value.String())
	}
	if got, want := sortedWords(strings.Join(got, " ")), sortedWords(attributes); got != want {
		t.Errorf("attributes of %s:\n got %s\nwant %s", s.Name, got, want)
	}
}
