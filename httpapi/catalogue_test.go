package httpapi_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

func TestEventsBytes(t *testing.T) {
	types := []events.Type{
		{Name: "order.paid", Description: "An order was paid: amount > 0.",
			Schema: json.RawMessage("{\n \"type\": \"object\" }"), Example: json.RawMessage(`[1]`)},
		{Name: "order.sent"},
	}
	const two = `{"data":[{"name":"order.paid","description":"An order was paid: amount > 0.","schema":{"type":"object"},"example":[1]},{"name":"order.sent"}`
	for _, test := range []struct {
		name        string
		types       []events.Type
		operational bool
		want        string
	}{
		{"none declared", nil, false, `{"data":[]}`},
		{"none declared, with operational ones", nil, true, `{"data":[]}`},
		{"two declared", types, false, two + `]}`},
	} {
		h := newHost(t, config{types: &dispatcher.Options{EventTypes: test.types,
			OperationalEvents: test.operational}})
		for _, body := range []string{``, `{}`} {
			if a := h.post("events", body); a.status != 200 || a.body != test.want {
				t.Errorf("%s: got %d %s\nwant 200 %s", test.name, a.status, a.body, test.want)
			}
		}
	}
}

// With a catalogue, it names every type that may be subscribed to.
func TestEventsOperational(t *testing.T) {
	h := newHost(t, config{types: &dispatcher.Options{EventTypes: events.Airy(),
		OperationalEvents: true}})
	got := decode[struct {
		Data []struct{ Name, Description, Schema, Example any }
	}](t, h.post("events", "")).Data
	if len(got) != 6 {
		t.Errorf("got %d types, want Airy's four and the two operational ones", len(got))
	}
	for _, e := range got {
		if a := h.post("subscribe", body("subscribe", "events",
			fmt.Sprintf("[%q]", e.Name))); a.status != 200 || e.Schema == nil || e.Example == nil {
			t.Errorf("%v: got %d %s, want that it can be subscribed to, with a schema and an example",
				e.Name, a.status, a.body)
		}
	}
}
