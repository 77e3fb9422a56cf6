package check

import (
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
