package openapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/openapi"
)

// asyncDescribed is what these tests look at.
type asyncDescribed struct {
	AsyncAPI string
	Info     struct{ Title string }
	Channels map[string]struct {
		Address  any
		Messages map[string]struct {
			Ref string `json:"$ref"`
		}
	}
	Operations map[string]struct {
		Action   string
		Messages []struct {
			Ref string `json:"$ref"`
		}
	}
	Components struct {
		Messages map[string]struct {
			Name, Summary, Description string
			Version                    string `json:"x-event-version"`
			Deprecated                 bool   `json:"x-deprecated"`
			Headers                    struct {
				Required   []string
				Properties map[string]json.RawMessage
			}
			Payload  json.RawMessage
			Examples []struct{ Payload json.RawMessage }
		}
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Name string }
	}
}

func describeEvents(t *testing.T, types ...events.Type) (asyncDescribed, string) {
	t.Helper()
	raw, err := openapi.DescribeEvents(&openapi.Host{Title: "Hooks"}, types)
	if err != nil {
		t.Fatal(err)
	}
	var d asyncDescribed
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(raw)
}

// The AsyncAPI document has a message for each type that the OpenAPI document has, with the same
// payload, and its operations and channel lead to them.
func TestAsyncAgreesWithOpenAPI(t *testing.T) {
	for name, types := range map[string][]events.Type{
		"no catalogue": nil,
		"Airy's":       events.Airy(),
		"a host's": {{Name: "order.paid", Schema: json.RawMessage(`{"$ref":"#/$defs/o",
			"$defs":{"o":{"type":"object"}}}`), Example: json.RawMessage(`{"id":1}`)}, {Name: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, raw := describeEvents(t, types...)
			rest := describe(t, &openapi.Host{}, types...)
			if want := slices.Sorted(maps.Keys(rest.Webhooks)); !slices.Equal(
				slices.Sorted(maps.Keys(d.Components.Messages)), want) {
				t.Errorf("got the messages %q, want %q",
					slices.Sorted(maps.Keys(d.Components.Messages)), want)
			}
			channel := d.Channels["webhook"]
			if d.AsyncAPI != "3.0.0" || d.Info.Title != "Hooks" || channel.Address != nil ||
				len(d.Operations) != len(d.Components.Messages) ||
				len(channel.Messages) != len(d.Components.Messages) {
				t.Errorf("got %+v", d)
			}
			for key, m := range d.Components.Messages {
				operation := d.Operations["send."+key]
				if operation.Action != "send" || len(operation.Messages) != 1 ||
					operation.Messages[0].Ref != "#/channels/webhook/messages/"+key ||
					channel.Messages[key].Ref != "#/components/messages/"+key {
					t.Errorf("%s: nothing leads to it", key)
				}
				for _, header := range []string{"webhook-id", "webhook-timestamp", "webhook-signature",
					"webhook-attempt"} {
					if m.Headers.Properties[header] == nil {
						t.Errorf("%s: the header %s is not described", key, header)
					}
				}
			}
			for _, ref := range strings.Split(raw, `"$ref":"#/components/schemas/`)[1:] {
				name, _, _ := strings.Cut(ref, `"`)
				if d.Components.Schemas[name] == nil {
					t.Errorf("the schema %s is referred to and not there", name)
				}
			}
			for name := range d.Components.Schemas {
				if !strings.Contains(raw, `"#/components/schemas/`+name+`"`) {
					t.Errorf("the schema %s is there and nothing refers to it", name)
				}
			}
			if s := d.Components.SecuritySchemes["signature"]; s.Type != "httpApiKey" ||
				s.Name != "webhook-signature" {
				t.Errorf("got the security schemes %+v", d.Components.SecuritySchemes)
			}
		})
	}
	d, _ := describeEvents(t, events.Type{Name: "order.paid", Example: json.RawMessage(`{"id":1}`)})
	if e := d.Components.Messages["order.paid"].Examples; len(e) != 1 ||
		string(e[0].Payload) != `{"payload":{"id":1},"timestamp":1603661094560,"type":"order.paid"}` {
		t.Errorf("got the examples %s", e)
	}
}

// Both documents say that a type is deprecated, and which version it has.
func TestDeprecated(t *testing.T) {
	types := []events.Type{
		{Name: "order.created", Version: "2", Deprecated: "Use order.placed."},
		{Name: events.TypeChannelUpdated, Deprecated: "Use nothing.", Schema: events.Airy()[3].Schema},
		{Name: "order.placed"},
	}
	d, _ := describeEvents(t, types...)
	raw, err := openapi.Describe(&openapi.Host{}, types)
	if err != nil {
		t.Fatal(err)
	}
	var rest struct {
		Webhooks map[string]struct {
			Post struct {
				Deprecated  bool
				Description string
				Version     string `json:"x-event-version"`
			}
		}
	}
	if err := json.Unmarshal(raw, &rest); err != nil {
		t.Fatal(err)
	}
	for _, want := range types {
		text := ""
		if want.Deprecated != "" {
			text = "Deprecated: " + want.Deprecated
		}
		m, o := d.Components.Messages[want.Name], rest.Webhooks[want.Name].Post
		if m.Deprecated != (text != "") || m.Description != text || m.Version != want.Version {
			t.Errorf("%s: AsyncAPI says %+v", want.Name, m)
		}
		if o.Deprecated != (text != "") || o.Description != text || o.Version != want.Version {
			t.Errorf("%s: OpenAPI says %+v", want.Name, o)
		}
	}
}

// Types with separators that the name of a component can't have get names of their own, and their
// schemas are found.
func TestTypesWithSeparators(t *testing.T) {
	var types []events.Type
	for _, name := range []string{"a.b", "a/b", "a:b", "a b", "a_b"} {
		types = append(types, events.Type{Name: name,
			Schema: json.RawMessage(`{"title":"` + name +
				`","items":{"$ref":"#/$defs/x"},"$defs":{"x":true}}`)})
	}
	d, raw := describeEvents(t, types...)
	rest := describe(t, &openapi.Host{}, types...)
	for _, schemas := range []map[string]json.RawMessage{d.Components.Schemas,
		rest.Components.Schemas} {
		for _, want := range types {
			n := 0
			for name, schema := range schemas {
				if strings.ContainsAny(name, "/: ") {
					t.Errorf("a component has the name %q", name)
				}
				if strings.Contains(string(schema), `"`+want.Name+`"`) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d schemas are those of %q, want one", n, want.Name)
			}
		}
	}
	if len(d.Components.Messages) != len(types)+2 || !strings.Contains(raw, dispatcher.TypePing) {
		t.Errorf("got %d messages, want one for each type, the ping and the challenge",
			len(d.Components.Messages))
	}
}

// A tenant from which every type is hidden gets none of those that a host without a catalogue has.
func TestNoTypeVisible(t *testing.T) {
	raw, err := openapi.Describe(&openapi.Host{}, []events.Type{})
	if err != nil || strings.Contains(string(raw), "message.created") &&
		strings.Contains(string(raw), `"receive.message.created"`) {
		t.Errorf("got Airy's types, %v; want the ping alone", err)
	}
}
