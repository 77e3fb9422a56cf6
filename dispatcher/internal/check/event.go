package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
)

// Event checks an event against the options. The store checks whether it is well-formed, when it
// builds its body.
func (r *Rules) Event(e *events.Event) error {
	if n := len(e.Payload); n > r.MaxPayload {
		return &events.InvalidError{
			Field:  "payload",
			Reason: fmt.Sprintf("has %d bytes; at most %d are allowed", n, r.MaxPayload),
		}
	}
	if r.OperationalEvents && events.Operational(e.Type) {
		return &events.InvalidError{
			Field:  "type",
			Reason: "is " + e.Type + ", which only the dispatcher publishes; use another",
		}
	}
	if len(r.Types) == 0 {
		return nil
	}
	if slices.Contains(r.Types, e.Type) {
		return r.Schemas.check(e)
	}
	return &events.InvalidError{
		Field: "type",
		Reason: fmt.Sprintf("is %q, which is not published here; the types are %s",
			e.Type, strings.Join(r.Types, ", ")),
	}
}

// Copies returns copies of events, for a caller that may use its own again.
func Copies(evs []events.Event) []events.Event {
	evs = slices.Clone(evs)
	for i := range evs {
		evs[i].Payload = bytes.Clone(evs[i].Payload)
	}
	return evs
}
