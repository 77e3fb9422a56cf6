package dispatcher

import (
	"encoding/json"
	"fmt"

	"github.com/outhook/outhook/events"
)

// schemas are the checks of payloads, by the name of their type.
type schemas map[string]func(payload json.RawMessage) error

// compileSchemas makes the checks, and holds the examples of the types to them. Its error is that
// of the first type that is not in order.
func (o *Options) compileSchemas() (schemas, error) {
	if o.Schemas == nil {
		return nil, nil
	}
	all := make(schemas)
	for i, t := range o.EventTypes {
		if t.Schema == nil {
			continue
		}
		check, err := o.Schemas.Compile(t)
		if err != nil {
			return nil, fmt.Errorf(
				"dispatcher: Options.EventTypes[%d].Schema is none that Schemas takes: %w", i, err)
		}
		if t.Example != nil {
			if err := check(t.Example); err != nil {
				return nil, fmt.Errorf(
					"dispatcher: Options.EventTypes[%d].Example does not match its Schema: %w", i, err)
			}
		}
		all[t.Name] = check
	}
	return all, nil
}

// check returns an *events.InvalidError for an event whose payload does not match.
func (s schemas) check(e *events.Event) error {
	check := s[e.Type]
	if check == nil {
		return nil
	}
	if err := check(e.Payload); err != nil {
		return &events.InvalidError{
			Field:  "payload",
			Reason: fmt.Sprintf("does not match the schema of %s: %v", e.Type, err),
		}
	}
	return nil
}
