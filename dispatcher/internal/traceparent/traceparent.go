// Package traceparent puts the trace that events are published in onto the events.
package traceparent

import (
	"slices"

	"github.com/outhook/outhook/events"
)

// Set returns evs with a Trace for those that have none, if trace is one. It leaves the caller's
// slice as it is.
func Set(evs []events.Event, trace string) []events.Event {
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
