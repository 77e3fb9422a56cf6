package dispatcher

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
)

// Publish stores events for delivery: all of them or none. When it returns nil they survive a crash
// or a power cut, and will be delivered by Run, here or in another process that shares the store.
//
// It returns an *events.InvalidError if an event is invalid, and store.ErrConflict if its tenant
// has stored an event with the same ID and other content. It returns a *QuotaError if the tenant of
// an event has as much pending as Quota.Pending allows. After these, none are stored. After any
// other error it is not known whether they were stored, and publishing the same events again is
// safe: an event is stored once. Events that no subscription wants are not stored.
//
// Events get their place in the order of delivery in the order given. One call with many is much
// cheaper than many calls.
func (d *Dispatcher) Publish(ctx context.Context, evs ...events.Event) error {
	for i := range evs {
		if err := d.checkEvent(&evs[i]); err != nil {
			return fmt.Errorf("dispatcher: publish: event %d of %d: %w", i+1, len(evs), err)
		}
	}
	if len(evs) == 0 {
		return nil
	}
	if err := d.quotas.checkPending(ctx, evs); err != nil {
		return err
	}
	evs, err := d.enqueue(ctx, evs)
	if err != nil {
		return fmt.Errorf("dispatcher: publish: %w", err)
	}
	d.observe.published(d.observe.now, evs)
	return nil
}

// checkEvent checks an event against the options. The store checks whether it is well-formed, when
// it builds its body.
func (d *Dispatcher) checkEvent(e *events.Event) error {
	if len(e.Payload) > d.o.MaxPayload {
		return &events.InvalidError{
			Field: "payload",
			Reason: fmt.Sprintf(
				"has %d bytes; at most %d are allowed",
				len(e.Payload),
				d.o.MaxPayload,
			),
		}
	}
	if err := d.checkOperational(e.Type); err != nil || len(d.types) == 0 {
		return err
	}
	for _, name := range d.types {
		if name == e.Type {
			return nil
		}
	}
	return &events.InvalidError{
		Field: "type",
		Reason: fmt.Sprintf(
			"is %q, which is not published here; the types are %s",
			e.Type,
			strings.Join(d.types, ", "),
		),
	}
}

// checkOperational says what is wrong with a host's event if it is operational.
func (d *Dispatcher) checkOperational(eventType string) error {
	if d.o.OperationalEvents && events.Operational(eventType) {
		return &events.InvalidError{
			Field:  "type",
			Reason: "is " + eventType + ", which only the dispatcher publishes; use another",
		}
	}
	return nil
}

// enqueue stores events of the host, traced, and returns them as they are stored.
func (d *Dispatcher) enqueue(ctx context.Context, evs []events.Event) ([]events.Event, error) {
	if d.o.Tracer == nil || d.o.Tracer.Publish == nil {
		return evs, d.store.Enqueue(ctx, evs...)
	}
	traced, trace, end := context.Context(nil), "", (func(error))(nil)
	d.observe.protect(
		"Options.Tracer",
		func() { traced, trace, end = d.o.Tracer.Publish(ctx, evs) },
	)
	if traced == nil {
		traced = ctx
	}
	evs = withTrace(evs, trace)
	err := d.store.Enqueue(traced, evs...)
	if end != nil {
		d.observe.protect("Options.Tracer", func() { end(err) })
	}
	return evs, err
}

// withTrace returns evs with a Trace for those that have none. It leaves the caller's slice as it
// is.
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

// EventTypes returns the catalogue of the types that can be subscribed to: Options.EventTypes and,
// with Options.OperationalEvents, the operational types. It is empty if the host has no catalogue.
func (d *Dispatcher) EventTypes() []events.Type {
	types := slices.Clone(d.o.EventTypes)
	for i := range types {
		types[i].Schema, types[i].Example = bytes.Clone(
			types[i].Schema,
		), bytes.Clone(
			types[i].Example,
		)
	}
	if len(types) > 0 && d.o.OperationalEvents {
		types = append(types, events.OperationalTypes()...)
	}
	return types
}
