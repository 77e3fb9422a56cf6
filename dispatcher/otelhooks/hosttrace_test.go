package otelhooks_test

import (
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
)

// The trace of an event that was published elsewhere, without its flags.
const (
	foreignID   = "0af7651916cd43dd8448eb211c80319c"
	foreignSpan = "b7ad6b7169203331"
	foreign     = "00-" + foreignID + "-" + foreignSpan
)

// TestTraceOfTheHost publishes an event that has a trace already: all goes on in it, if it is
// sampled.
func TestTraceOfTheHost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  string
		to     func(*otelhooks.Options)
		spans  string // those that are recorded
		suffix string // of the traceparent that the endpoint gets
	}{
		{"sampled", "-01", func(*otelhooks.Options) {}, "POST, publish webhooks, queue webhooks", "-01"},
		{"not sampled", "-00", func(*otelhooks.Options) {}, "publish webhooks", "-00"},
		{"sampled, but not here", "-01", func(to *otelhooks.Options) {
			to.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
		}, "", "-00"},
		{"tracing off", "-01", func(to *otelhooks.Options) {
			to.TracerProvider = noop.NewTracerProvider()
		}, "", foreignSpan + "-01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, func(_ *dispatcher.Options, to *otelhooks.Options) { tt.to(to) })
			h.run(t)
			address, traceparents := endpoint(t, 200)
			h.subscribe(t, address)
			e := newEvent(t, "order.created")
			e.Trace = foreign + tt.flags
			if err := h.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			h.ended(t, 1)
			if got := <-traceparents; !strings.HasPrefix(got, "00-"+foreignID+"-") ||
				!strings.HasSuffix(got, tt.suffix) {
				t.Errorf(
					"traceparent: got %q, want one in the event's trace that ends in %s",
					got,
					tt.suffix,
				)
			}
			var names []string
			for _, s := range h.spans.GetSpans() {
				names = append(names, s.Name)
				if len(s.Links) != 1 || s.Links[0].SpanContext.SpanID().String() != foreignSpan {
					t.Errorf("links of %s: got %v, want one to the event's trace", s.Name, s.Links)
				}
			}
			slices.Sort(names) // an attempt may start before Publish has returned
			if got := strings.Join(names, ", "); got != tt.spans {
				t.Errorf("spans: got %s, want %s", got, tt.spans)
			}
		})
	}
}

// TestPublishOfMany publishes several events at once, and then one of them with other content.
func TestPublishOfMany(t *testing.T) {
	h := newHost(t, nil)
	h.subscribe(t, "http://127.0.0.1/")
	one, other := newEvent(t, "order.created"), newEvent(t, "order.paid")
	if err := h.Publish(t.Context(), one, other); err != nil {
		t.Fatal(err)
	}
	one.Type = "order.paid"
	if err := h.Publish(t.Context(), one); err == nil {
		t.Fatal("another event with the same ID was taken")
	}
	spans := h.spans.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("spans: got %d, want one for each call of Publish", len(spans))
	}
	const call = "messaging.system=outhook messaging.destination.name=webhooks " +
		"messaging.operation.name=publish messaging.operation.type=send"
	wantSpan(
		t,
		spans[0],
		trace.SpanKindProducer,
		codes.Unset,
		call+" messaging.batch.message_count=2",
	)
	wantSpan(
		t,
		spans[1],
		trace.SpanKindProducer,
		codes.Error,
		call+" outhook.event.type=order.paid error.type=_OTHER messaging.message.id="+one.ID,
	)
}

func newEvent(t *testing.T, eventType string) events.Event {
	t.Helper()
	e, err := events.New(eventType, 1)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
