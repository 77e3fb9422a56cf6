package jsonschema_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/jsonschema"
	"github.com/outhook/outhook/store/memstore"
)

const order = `{
"type": "object",
"required": ["id", "cents"],
"additionalProperties": {"type": "string"},
"properties": {
  "id": {"type": "string", "pattern": "^[a-z]+$"},
  "cents": {"$ref": "#/$defs/cents"},
  "at": {"type": "string", "format": "date-time"},
  "kind": {"enum": ["new", "changed"]}},
"$defs": {"cents": {"type": "integer", "minimum": 0}}}`

func TestCheck(t *testing.T) {
	check, err := jsonschema.Compiler{}.Compile(events.Type{Schema: json.RawMessage(order)})
	if err != nil {
		t.Fatal(err)
	}
	strict, err := jsonschema.Compiler{Formats: true}.Compile(
		events.Type{Schema: json.RawMessage(order)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		payload, reason string // "" for none
		strict          bool   // by Formats alone
	}{
		{`{"id":"tea","cents":250}`, "", false},
		{`{"id":"tea","cents":1e2}`, "", false},
		{`{"id":"tea","cents":12345678901234567890123}`, "", false},
		{`{"id":"tea"}`, `#/required wants "cents"`, false},
		{`{"id":"tea","cents":"x"}`,
			"#/$defs/cents/type wants integer, and it has a value of type string", false},
		{`{"id":"tea","cents":-1}`, "it breaks the rule #/$defs/cents/minimum", false},
		{`{"id":"secret9","cents":1}`, "it breaks the rule #/properties/id/pattern", false},
		{`{"id":"tea","cents":1,"kind":"secret9"}`, "it breaks the rule #/properties/kind/enum", false},
		{`{"id":"tea","cents":1,"secret9":1}`, "#/additionalProperties/type wants string", false},
		{`{"id":"tea","cents":1,"at":"secret9"}`, "it breaks the rule #/properties/at/format", true},
		{`[]`, "#/type wants object, and it has a value of type array", false},
		{`{"secret9`, "it is not JSON", false},
		{`{} {}`, "it is not JSON", false},
	} {
		for _, check := range []struct {
			name  string
			check func(json.RawMessage) error
			want  string
		}{{"default", check, tt.reason}, {"Formats", strict, tt.reason}} {
			if tt.strict && check.name == "default" {
				check.want = ""
			}
			switch err := check.check(json.RawMessage(tt.payload)); {
			case check.want == "" && err != nil:
				t.Errorf("%s, %s: got error %v, want none", tt.payload, check.name, err)
			case check.want != "" && (err == nil || !strings.Contains(err.Error(), check.want)):
				t.Errorf("%s, %s: got error %v, want %s", tt.payload, check.name, err, check.want)
			case err != nil && strings.Contains(err.Error(), "secret9"):
				t.Errorf("%s, %s: the error %q has a part of the payload", tt.payload, check.name, err)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for schema, words := range map[string]string{
		`{`:                               "not JSON",
		`{"type": "text"}`:                "type",
		`{"minimum": "3"}`:                "minimum",
		`{"$ref": "#/$defs/none"}`:        "none",
		`{"$ref": "file:///etc/passwd"}`:  "nothing is fetched",
		`{"$ref": "https://a.example/s"}`: "nothing is fetched",
		`{"$ref": "other.json"}`:          "nothing is fetched",
		`{"pattern": "("}`:                "",
	} {
		_, err := jsonschema.Compiler{}.Compile(events.Type{Schema: json.RawMessage(schema)})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got error %v, want one with %q", schema, err, words)
		}
	}
}

// TestAiry shows that Airy's catalogue and the operational types are in order.
func TestAiry(t *testing.T) {
	for _, typ := range append(events.Airy(), events.OperationalTypes()...) {
		check, err := jsonschema.Compiler{Formats: true}.Compile(typ)
		if err != nil {
			t.Errorf("%s: %v", typ.Name, err)
			continue
		}
		if err := check(typ.Example); err != nil {
			t.Errorf("the example of %s: %v", typ.Name, err)
		}
	}
}

// TestDispatcher has a dispatcher check examples and, from several goroutines, payloads.
func TestDispatcher(t *testing.T) {
	typ := events.Type{Name: "order.placed", Schema: json.RawMessage(order),
		Example: json.RawMessage(`{"id":"tea"}`)}
	o := &dispatcher.Options{EventTypes: []events.Type{typ}, Schemas: jsonschema.Compiler{}}
	if _, err := dispatcher.New(memstore.New(), o); err == nil ||
		!strings.Contains(err.Error(), `Options.EventTypes[0].Example does not match its Schema: `) {
		t.Fatalf("an example without cents: got error %v, want one that says so", err)
	}
	o.EventTypes[0].Example = json.RawMessage(`{"id":"tea","cents":250}`)
	d, err := dispatcher.New(memstore.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(payload any) error {
		e, err := events.New("order.placed", payload)
		if err != nil {
			return err
		}
		return d.Publish(t.Context(), e)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := publish(map[string]any{"id": "tea", "cents": 250}); err != nil {
				t.Error(err)
			}
			var invalid *events.InvalidError
			err := publish(map[string]any{"id": "tea"})
			if !errors.As(err, &invalid) || invalid.Field != "payload" ||
				!strings.Contains(invalid.Reason, `the schema of order.placed: #/required wants "cents"`) {
				t.Errorf("without cents: got error %v, want an InvalidError of the payload", err)
			}
		})
	}
	wg.Wait()
}
