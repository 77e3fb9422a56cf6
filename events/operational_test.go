package events_test

import (
	"encoding/json"
	"testing"

	"github.com/outhook/outhook/events"
)

func TestOperationalPayloads(t *testing.T) {
	for _, tt := range []struct {
		payload   events.Payload
		eventType string
		want      string
	}{
		{events.WebhookDisabled{WebhookID: "w1", Reason: "gone"}, "webhook.disabled",
			`{"webhook_id":"w1","reason":"gone"}`},
		{
			events.WebhookExhausted{WebhookID: "w1", EventID: "e1", Type: "order.paid", Attempts: 12,
				LastStatus: 503, Error: "http_status: 503", Reason: "used up"},
			"webhook.exhausted",
			`{"webhook_id":"w1","event_id":"e1","event_type":"order.paid","attempts":12,"last_status":503,"error":"http_status: 503","reason":"used up"}`,
		},
	} {
		e, err := events.From(tt.payload)
		if err != nil || e.Type != tt.eventType || string(e.Payload) != tt.want {
			t.Errorf("From(%T) = %s %s, %v, want %s %s", tt.payload, e.Type, e.Payload, err, tt.eventType,
				tt.want)
		}
		if !events.Operational(e.Type) {
			t.Errorf("%s is not operational", e.Type)
		}
	}
	if events.Operational("webhook.ping") || events.Operational("webhook") {
		t.Error("a type is operational that is none of the operational types")
	}
}

func TestOperationalTypes(t *testing.T) {
	types := events.OperationalTypes()
	if len(types) != 2 || types[0].Name != events.TypeDisabled ||
		types[1].Name != events.TypeExhausted {
		t.Fatalf("got %+v, want the entries of both types", types)
	}
	for i, payload := range []any{&events.WebhookDisabled{}, &events.WebhookExhausted{}} {
		var schema struct {
			Required   []string
			Properties map[string]any
		}
		if err := json.Unmarshal(types[i].Schema, &schema); err != nil {
			t.Fatalf("%s: the schema is %v", types[i].Name, err)
		}
		if err := json.Unmarshal(types[i].Example, payload); err != nil {
			t.Fatalf("%s: the example is %v", types[i].Name, err)
		}
		b, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		if len(schema.Required) != len(fields) || len(schema.Properties) != len(fields) {
			t.Errorf("%s: %d fields required and %d described, want all %d", types[i].Name,
				len(schema.Required), len(schema.Properties), len(fields))
		}
		for name, value := range fields {
			if schema.Properties[name] == nil || value == "" || value == 0.0 {
				t.Errorf("%s: the field %s is not in the schema, or not in the example", types[i].Name, name)
			}
		}
	}
	clear(types[0].Schema)
	if !json.Valid(events.OperationalTypes()[0].Schema) {
		t.Error("the catalogue shares memory with its callers")
	}
}

func TestValidateTrace(t *testing.T) {
	for _, trace := range []string{"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"} {
		if err := events.ValidateTrace(trace); err != nil {
			t.Errorf("ValidateTrace(%q) = %v, want nil", trace, err)
		}
	}
	wantInvalid(t, "ValidateTrace", events.ValidateTrace("00-x"), "trace", "traceparent")
}
