package events_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
)

func TestAiryNames(t *testing.T) {
	var got []string
	for _, typ := range events.Airy() {
		got = append(got, typ.Name)
		if err := events.ValidateType(typ.Name); err != nil {
			t.Errorf("%s: %v", typ.Name, err)
		}
		if !strings.HasSuffix(typ.Description, ".") {
			t.Errorf("%s: description %q, want a sentence", typ.Name, typ.Description)
		}
	}
	want := []string{"message.created", "message.updated", "conversation.updated", "channel.updated"}
	if !slices.Equal(got, want) {
		t.Errorf("Airy has %q, want %q", got, want)
	}
}

func TestAiryExamplesFitTheTypes(t *testing.T) {
	for _, typ := range events.Airy() {
		p := decodeStrictly(t, typ.Name, typ.Example)
		e, err := events.From(p)
		if err != nil {
			t.Errorf("%s: %v", typ.Name, err)
			continue
		}
		var want bytes.Buffer
		if err := json.Compact(&want, typ.Example); err != nil {
			t.Fatal(err)
		}
		if string(e.Payload) != want.String() {
			t.Errorf("%s: decoded and marshalled again the example is\n%s, want\n%s", typ.Name, e.Payload,
				want.Bytes())
		}
	}
}

func TestAiryReturnsCopies(t *testing.T) {
	a := events.Airy()
	want := string(a[0].Schema) + string(a[0].Example)
	clear(a[0].Schema)
	clear(a[0].Example)
	a[0].Name = ""
	if b := events.Airy(); b[0].Name != "message.created" ||
		string(b[0].Schema)+string(b[0].Example) != want {
		t.Errorf("changing what Airy returned changes what it returns next: %+v", b[0])
	}
}

// The schemas must describe what the types write: the same properties, all of them required but a
// message's metadata.
func TestAirySchemasFitTheTypes(t *testing.T) {
	for _, typ := range events.Airy() {
		var root map[string]any
		if err := json.Unmarshal(typ.Schema, &root); err != nil {
			t.Fatalf("%s: %v", typ.Name, err)
		}
		if got, want := root["$schema"], "https://json-schema.org/draft/2020-12/schema"; got != want {
			t.Errorf("%s: $schema %v, want %s", typ.Name, got, want)
		}
		var example any
		if err := json.Unmarshal(typ.Example, &example); err != nil {
			t.Fatal(err)
		}
		checkSchema(t, typ.Name, root, root, example)
	}
}

// checkSchema holds the part of a schema that describes v to v. It knows the few keywords that are
// used here.
func checkSchema(t *testing.T, path string, root, schema map[string]any, v any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		name, _ := strings.CutPrefix(ref, "#/$defs/")
		def, ok := root["$defs"].(map[string]any)[name].(map[string]any)
		if !ok {
			t.Fatalf("%s: %s leads nowhere", path, ref)
		}
		schema = def
	}
	kind := "null"
	switch v := v.(type) {
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case map[string]any:
		kind = "object"
		if properties, ok := schema["properties"].(map[string]any); ok {
			checkProperties(t, path, root, schema, properties, v)
		}
	}
	if want, ok := schema["type"]; ok && want != kind {
		t.Errorf("%s: is a %s, the schema wants a %v", path, kind, want)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		t.Errorf("%s: %v is none of %v", path, v, enum)
	}
}

func checkProperties(t *testing.T, path string, root, schema, properties, object map[string]any) {
	t.Helper()
	required := map[string]bool{}
	for _, name := range schema["required"].([]any) {
		required[name.(string)] = true
	}
	isMessage := object["sent_at"] != nil
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if optional := isMessage && name == "metadata"; required[name] == optional {
			t.Errorf("%s.%s: required is %t, want %t", path, name, required[name], !optional)
		}
	}
	for name := range required {
		if _, ok := object[name]; !ok || properties[name] == nil {
			t.Errorf("%s.%s is required, but not in the example or the properties", path, name)
		}
	}
	for name, v := range object {
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", path, name)
			continue
		}
		checkSchema(t, path+"."+name, root, property, v)
	}
}
