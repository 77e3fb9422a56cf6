package dispatcher

import (
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Tracer connects a Dispatcher to a tracing system. Each of its functions may be nil; all must be safe for concurrent use
// and quick. A panic in one is caught and logged, and what it should have returned is taken for empty: tracing never
// stops a delivery.
//
// Package otelhooks, in a module of its own, has one for OpenTelemetry.
type Tracer struct {
	// Publish is called once for each call of Dispatcher.Publish that stores something, immediately before it does. The
	// events are for reading only.
	//
	// The context that it returns, which must be made from ctx, is that of the store's call. The traceparent (W3C Trace
	// Context, version 00) is what those events are stored with that have no Trace of their own; "", or none, is none.
	// end, unless nil, is called in the same goroutine with what the store answered.
	Publish func(ctx context.Context, evs []events.Event) (publish context.Context, traceparent string, end func(error))

	// Attempt is called in the goroutine of an attempt immediately before it. Of Info.Attempt, Number and At are set, and
	// Info.Trace is the event's.
	//
	// The context that it returns, which must be made from ctx, is that of the request, and of Options.Transform. The
	// traceparent is sent with the request as a header of that name, unless the subscription has set its own; if "", or
	// none, the event's Trace is sent. end, unless nil, is called in the same goroutine as soon as the attempt is over, with
	// what came of it: Info.State and Info.RetryIn are what it is about to make of the delivery. An attempt that is cut
	// off as Run stops ends as store.Pending, with an error of ClassCanceled, and is not recorded.
	Attempt func(ctx context.Context, info Info) (attempt context.Context, traceparent string, end func(Info))
}

// span is the part of a Tracer in one attempt; nil when it has none.
type span struct {
	d    *Dispatcher
	info Info
	end  func(Info)
}

// enqueue stores events of the host, traced, and returns them as they are stored.
func (d *Dispatcher) enqueue(ctx context.Context, evs []events.Event) ([]events.Event, error) {
	if d.o.Tracer == nil || d.o.Tracer.Publish == nil {
		return evs, d.store.Enqueue(ctx, evs...)
	}
	traced, trace, end := context.Context(nil), "", (func(error))(nil)
	d.guarded("Options.Tracer", func() { traced, trace, end = d.o.Tracer.Publish(ctx, evs) })
	if traced == nil {
		traced = ctx
	}
	evs = withTrace(evs, trace)
	err := d.store.Enqueue(traced, evs...)
	if end != nil {
		d.guarded("Options.Tracer", func() { end(err) })
	}
	return evs, err
}

// withTrace returns evs with a Trace for those that have none. It leaves the caller's slice as it is.
func withTrace(evs []events.Event, trace string) []events.Event {
	if trace == "" || events.ValidateTrace(trace) != nil {
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

// startSpan begins an attempt: it returns the context for it and the traceparent to send.
func (d *Dispatcher) startSpan(ctx context.Context, c *store.Claim, a store.Attempt) (context.Context, string, *span) {
	if d.o.Tracer == nil || d.o.Tracer.Attempt == nil {
		return ctx, c.Trace, nil
	}
	s := &span{d: d, info: newInfo(c)}
	s.info.Attempt, s.info.State = a, store.Pending
	var traced context.Context
	trace := ""
	d.guarded("Options.Tracer", func() { traced, trace, s.end = d.o.Tracer.Attempt(ctx, s.info) })
	if traced == nil {
		traced = ctx
	}
	if trace == "" || events.ValidateTrace(trace) != nil {
		trace = c.Trace
	}
	return traced, trace, s
}

// over ends an attempt.
func (s *span) over(o *store.Outcome) {
	if s == nil || s.end == nil {
		return
	}
	s.info.Attempt, s.info.State, s.info.RetryIn = o.Attempt, o.State, o.RetryIn
	s.d.guarded("Options.Tracer", func() { s.end(s.info) })
}

// guarded calls a function of the host's and keeps a panic to it.
func (d *Dispatcher) guarded(what string, call func()) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("outhook: "+what+" panicked", "panic", fmt.Sprint(p))
		}
	}()
	call()
}
