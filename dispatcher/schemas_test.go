package dispatcher_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/memstore"
)

// kindOf is a SchemaCompiler whose schemas are a JSON string: how a payload begins.
type kindOf struct{}

func (kindOf) Compile(t events.Type) (func(json.RawMessage) error, error) {
	var begin string
	if err := json.Unmarshal(t.Schema, &begin); err != nil {
		return nil, errors.New("not a string")
	}
	return func(payload json.RawMessage) error {
		if !strings.HasPrefix(string(payload), begin) {
			return errors.New("begins otherwise")
		}
		return nil
	}, nil
}

func TestSchemas(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Schemas: kindOf{},
		EventTypes: []events.Type{
			{Name: "list", Schema: []byte(`"["`), Example: []byte(`[1]`)}, {Name: "any"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		eventType, payload string
		ok                 bool
	}{{"list", `[]`, true}, {"list", `{}`, false}, {"any", `{}`, true}} {
		e, err := events.New(tt.eventType, json.RawMessage(tt.payload))
		if err != nil {
			t.Fatal(err)
		}
		err = d.Publish(t.Context(), e)
		var invalid *events.InvalidError
		switch {
		case tt.ok && err != nil:
			t.Errorf("%s %s: got error %v, want none", tt.eventType, tt.payload, err)
		case !tt.ok && (!errors.As(err, &invalid) || invalid.Field != "payload" ||
			invalid.Reason != "does not match the schema of list: begins otherwise"):
			t.Errorf("%s %s: got error %v, want that it does not match", tt.eventType, tt.payload, err)
		}
	}
}

// TestTypesAreCheckedAtNew has catalogues with something wrong; without Schemas only what is not
// JSON is.
func TestTypesAreCheckedAtNew(t *testing.T) {
	for _, tt := range []struct {
		name    string
		typ     events.Type
		schemas events.SchemaCompiler
		want    string // "" for none
	}{
		{"a schema that is not JSON", events.Type{Schema: []byte(`{`)}, nil,
			`Options.EventTypes[0].Schema of "a" is not JSON; correct it`},
		{"an empty example", events.Type{Example: []byte(``)}, nil,
			`Options.EventTypes[0].Example of "a" is not JSON; correct it`},
		{"a schema that is not compiled", events.Type{Schema: []byte(`{}`)}, nil, ""},
		{"a schema that is none", events.Type{Schema: []byte(`{}`)}, kindOf{},
			"Options.EventTypes[0].Schema is none that Schemas takes: not a string"},
		{"an example that does not match",
			events.Type{Schema: []byte(`"{"`), Example: []byte(`[]`)}, kindOf{},
			"Options.EventTypes[0].Example does not match its Schema: begins otherwise"},
		{"an example that is not checked",
			events.Type{Schema: []byte(`"{"`), Example: []byte(`[]`)}, nil, ""},
	} {
		tt.typ.Name = "a"
		_, err := dispatcher.New(memstore.New(), &dispatcher.Options{
			EventTypes: []events.Type{tt.typ}, Schemas: tt.schemas,
		})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got error %v, want none", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}
