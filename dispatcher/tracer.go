package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/observe"
	"github.com/outhook/outhook/events"
)

// Tracer connects a Dispatcher to a tracing system. Each of its functions may be nil; all must be
// safe for concurrent use and quick. A panic in one is caught and logged, and its results are taken
// for empty: tracing never stops a delivery.
//
// Package otelhooks, in a module of its own, has one for OpenTelemetry.
type Tracer struct {
	// Publish is called once for each call of Publish or PublishTx that stores something,
	// immediately before it does. The events are for reading only.
	//
	// The context that it returns, which must be made from ctx, is that of the store's call. The
	// traceparent (W3C Trace Context, version 00) becomes the Trace of the events that have none;
	// "" or an invalid one is ignored. end, unless nil, is called in the same goroutine with the
	// error of the store.
	Publish func(ctx context.Context, evs []events.Event) (publish context.Context, traceparent string,
		end func(error))

	// Attempt is called in the goroutine of an attempt immediately before it. Of Info.Attempt,
	// Number and At are set, and Info.Trace is the event's.
	//
	// The context that it returns, which must be made from ctx, is that of the request, and of
	// Options.Transform. The traceparent is sent with the request as a header of that name, unless
	// the subscription has set its own. If it is "" or invalid, the event's Trace is sent. end,
	// unless nil, is called in the same goroutine as soon as the attempt is over. It gets the
	// result: Info.State and Info.RetryIn are what is about to be stored. An attempt that is cut
	// off as Run stops ends as store.Pending, with an error of ClassCanceled, and is not recorded.
	Attempt func(ctx context.Context, info Info) (attempt context.Context, traceparent string,
		end func(Info))
}

// attemptSpan returns Attempt as the engine's notifier calls it.
func (t *Tracer) attemptSpan() observe.AttemptSpan {
	return func(ctx context.Context, info observe.Info) (
		context.Context, string, func(observe.Info),
	) {
		traced, traceparent, end := t.Attempt(ctx, Info(info))
		return traced, traceparent, as(end, toInfo)
	}
}
