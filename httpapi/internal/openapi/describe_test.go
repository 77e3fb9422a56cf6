package openapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/openapi"
)

// described is what these tests look at.
type described struct {
	Info       struct{ Title string }
	Servers    []struct{ URL string }
	Security   []map[string][]string
	Webhooks   map[string]struct{ Post struct{ Summary string } }
	Components struct {
		SecuritySchemes map[string]json.RawMessage
		Schemas         map[string]json.RawMessage
	}
}

func describe(t *testing.T, h *openapi.Host, types ...events.Type) described {
	t.Helper()
	raw, err := openapi.Describe(h, types)
	if err != nil {
		t.Fatal(err)
	}
	var d described
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHost(t *testing.T) {
	scheme := json.RawMessage(`{"type":"http"}`)
	d := describe(t, &openapi.Host{Title: "Hooks", Prefix: "/api",
		Security: map[string]json.RawMessage{"b": scheme, "a": scheme}})
	if d.Info.Title != "Hooks" || len(d.Servers) != 1 || d.Servers[0].URL != "/api" {
		t.Errorf("got %+v", d)
	}
	// Either is enough, so they are two requirements and not one of both.
	if len(d.Security) != 2 || d.Security[0]["a"] == nil || d.Security[1]["b"] == nil ||
		len(d.Components.SecuritySchemes) != 2 {
		t.Errorf("got the security %v of %v", d.Security, d.Components.SecuritySchemes)
	}
	if d := describe(t, &openapi.Host{}); len(d.Security) != 0 || d.Components.SecuritySchemes != nil {
		t.Errorf("got the security %v, want none", d.Security)
	}
}

// A host that declares its types has those, and a ping, with schemas that lead to each other; what
// belongs to types that it does not send is gone.
func TestDeclaredTypes(t *testing.T) {
	all := describe(t, &openapi.Host{})
	d := describe(t, &openapi.Host{}, events.Type{Name: "order.paid", Description: "An order is paid.",
		Schema: json.RawMessage(`{"$defs":{"line":{"type":"object","properties":{"next":{"$ref":"#/$defs/line"}}},
			"unused":{"$ref":"#"}},"properties":{"lines":{"items":{"$ref":"#/$defs/line"}},"max":{"const":12345678901234567890}}}`)})
	var names []string
	for name := range d.Webhooks {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"order.paid", dispatcher.TypePing, dispatcher.TypeChallenge}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("got the types %q, want %q", names, want)
	}
	if got := d.Webhooks["order.paid"].Post.Summary; got != "An order is paid." {
		t.Errorf("got the summary %q", got)
	}
	payload, line := string(d.Components.Schemas["payload.order.paid"]),
		string(d.Components.Schemas["payload.order.paid.line"])
	const ref = `{"$ref":"#/components/schemas/payload.order.paid.line"}`
	if !strings.Contains(payload, ref) || !strings.Contains(line, ref) ||
		!strings.Contains(payload, "12345678901234567890") {
		t.Errorf("got the schemas %s and %s", payload, line)
	}
	if _, ok := d.Components.Schemas["payload.order.paid.unused"]; ok {
		t.Error("a schema that nothing refers to is there")
	}
	gone := 0
	for name := range all.Components.Schemas {
		if _, ok := d.Components.Schemas[name]; !ok {
			gone++
		}
	}
	if gone == 0 {
		t.Errorf("all of %d schemas are there, also of types that the host does not send",
			len(all.Components.Schemas))
	}
}

// An operator's description has what a tenant's must not tell of.
func TestOperator(t *testing.T) {
	for _, operator := range []bool{false, true} {
		raw, err := openapi.Describe(&openapi.Host{Operator: operator}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{`"tenant"`, "hostStats", "any tenant"} {
			if got := strings.Contains(string(raw), word); got != operator {
				t.Errorf("for an operator %t: the description has %s: %t", operator, word, got)
			}
		}
	}
}
