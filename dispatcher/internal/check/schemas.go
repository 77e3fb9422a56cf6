package check

import (
	"encoding/json"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
)

// Schemas are the checks of payloads, by the name of their type.
type Schemas map[string]func(payload json.RawMessage) error

// CompileSchemas makes the checks, and holds the examples of the types to them. Its error is that
// of the first type that is not in order. Without a compiler there are none.
func CompileSchemas(types []events.Type, compiler events.SchemaCompiler) (Schemas, error) {
	if compiler == nil {
		return nil, nil
	}
	all := make(Schemas)
	for i, t := range types {
		if t.Schema == nil {
			continue
		}
		check, err := compiler.Compile(t)
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

// SchemaURIs are the dataschema of the types that have one, by their names.
func SchemaURIs(types []events.Type) map[string]string {
	uris := make(map[string]string)
	for _, t := range types {
		if uri := cloudevents.SchemaURI(t.Schema); uri != "" {
			uris[t.Name] = uri
		}
	}
	return uris
}

// check returns an *events.InvalidError for an event whose payload does not match.
func (s Schemas) check(e *events.Event) error {
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
