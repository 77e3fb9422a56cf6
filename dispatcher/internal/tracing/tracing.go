// Package tracing calls the host's tracer and fills in what it leaves out: no context, no end of
// the span, a traceparent that is not valid. A tracer never stops a delivery.
package tracing

import (
	"context"
	"slices"

	"github.com/outhook/outhook/events"
)

// Publish stores events within a span of the host, and returns them as they are stored. protect
// calls a function of the host, and keeps a panic to it.
func Publish(
	ctx context.Context, evs []events.Event, protect func(func()),
	span func(context.Context, []events.Event) (context.Context, string, func(error)),
	enqueue func(context.Context, ...events.Event) error,
) ([]events.Event, error) {
	traced, trace, end := context.Context(nil), "", (func(error))(nil)
	protect(func() { traced, trace, end = span(ctx, evs) })
	traced, trace = Or(traced, trace, ctx, "")
	evs = withTrace(evs, trace)
	err := enqueue(traced, evs...)
	if end != nil {
		protect(func() { end(err) })
	}
	return evs, err
}

// Or returns the context and the traceparent that a tracer has given, with otherCtx in place of a
// nil context, and otherTrace in place of a traceparent that is not valid: that would make a header
// that no receiver can read.
func Or(
	ctx context.Context, trace string, otherCtx context.Context, otherTrace string,
) (context.Context, string) {
	if ctx == nil {
		ctx = otherCtx
	}
	if trace == "" || events.ValidateTrace(trace) != nil {
		trace = otherTrace
	}
	return ctx, trace
}

// withTrace returns evs with a Trace for those that have none. It leaves the caller's slice as it
// is.
func withTrace(evs []events.Event, trace string) []events.Event {
	if trace == "" {
		return evs
	}
	out := slices.Clone(evs)
	for i := range out {
		if out[i].Trace == "" {
			out[i].Trace = trace
		}
	}
	return out
}
