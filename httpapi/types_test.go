package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// catalogued are types of which one is deprecated and one hidden from acme.
func catalogued() *dispatcher.Options {
	return &dispatcher.Options{
		EventTypes: []events.Type{
			{Name: "order.paid", Version: "2"},
			{Name: "order.created", Version: "1", Deprecated: "Use order.placed; it ends in 2027."},
			{Name: "beta/scored", Schema: json.RawMessage(`{"type":"object"}`),
				Example: json.RawMessage(`{"score":1}`)},
		},
		TypeVisible: func(tenant, eventType string) bool {
			return tenant != "acme" || eventType != "beta/scored"
		},
	}
}

// The catalogue says of a type which version it has and whether it is deprecated, and to subscribe
// to a deprecated one works, with a warning that names it.
func TestDeprecatedTypes(t *testing.T) {
	h := newHost(t, config{types: catalogued()})
	const paid = `{"name":"order.paid","version":"2"}`
	const created = `{"name":"order.created","version":"1","deprecated":"Use order.placed; it ends in 2027."}`
	a := h.post("events", "", "X-Tenant", "acme")
	if want := `{"data":[` + paid + `,` + created + `]}`; a.body != want {
		t.Errorf("got %s\nwant %s", a.body, want)
	}
	const warning = `"warnings":["events names order.created, which is deprecated: ` +
		`Use order.placed; it ends in 2027."]`
	for events, want := range map[string]bool{
		`["order.paid"]`: false, `["order.paid","order.created"]`: true, `["order.*"]`: false,
		`[]`: false,
	} {
		for endpoint, fields := range map[string]string{
			"subscribe": `"id":"` + id1 + `","url":"https://a.example/","events":` + events,
			"update":    `"id":"` + id1 + `","events":` + events,
			"info":      `"id":"` + id1 + `"`,
		} {
			if endpoint != "subscribe" {
				h.post("subscribe", `{"id":"`+id1+`","url":"https://a.example/","events":`+events+`}`)
			}
			a := h.post(endpoint, `{`+fields+`}`)
			if got := strings.Contains(a.body, warning); a.status != 200 || got != want ||
				strings.Contains(a.body, "warnings") != want {
				t.Errorf("%s with %s: got %d %s, want a warning: %t", endpoint, events, a.status, a.body, want)
			}
		}
	}
}

// A type that is hidden from a tenant is for it as one that there is not, to the byte; others, and
// the operator, see it.
func TestHiddenTypes(t *testing.T) {
	h := newHost(t, config{types: catalogued()})
	for _, who := range []struct {
		name    string
		headers []string
		sees    bool
	}{
		{"acme", []string{"X-Tenant", "acme"}, false},
		{"another tenant", []string{"X-Tenant", "other"}, true},
		{"the operator", []string{"X-Operator", "1"}, true},
	} {
		for _, endpoint := range []string{"openapi", "asyncapi"} {
			a := h.do("GET", "/webhooks."+endpoint, nil, who.headers...)
			if got := strings.Contains(a.body, "beta"); a.status != 200 || got != who.sees ||
				!json.Valid([]byte(a.body)) {
				t.Errorf("%s of %s: got %d, the type is there: %t", endpoint, who.name, a.status, got)
			}
		}
		a := h.post("events", "", who.headers...)
		if got := strings.Contains(a.body, "beta"); got != who.sees {
			t.Errorf("events of %s: got %s", who.name, a.body)
		}
		hidden := h.post("subscribe", `{"url":"https://a.example/","events":["beta/scored"]}`,
			who.headers...)
		unknown := h.post("subscribe", `{"url":"https://a.example/","events":["beta/wanted"]}`,
			who.headers...)
		same := strings.ReplaceAll(hidden.body, "scored", "wanted") == unknown.body
		if who.sees != (hidden.status == 200) || unknown.status != 400 || same == who.sees {
			t.Errorf("subscribe of %s: got %d %s\nand of an unknown type %d %s", who.name, hidden.status,
				hidden.body, unknown.status, unknown.body)
		}
	}
}

// A webhook that names a type which was hidden afterwards stays as it is, and no answer speaks of
// the type.
func TestTypeHiddenLater(t *testing.T) {
	hidden := false
	o := &dispatcher.Options{
		EventTypes:  []events.Type{{Name: "a"}, {Name: "b", Deprecated: "Use a."}},
		TypeVisible: func(_, eventType string) bool { return !hidden || eventType != "b" },
	}
	h := newHost(t, config{types: o})
	h.post("subscribe", `{"id":"`+id1+`","url":"https://a.example/","events":["b"]}`)
	hidden = true
	for _, endpoint := range []string{"info", "update"} {
		a := h.post(endpoint, `{"id":"`+id1+`"}`)
		if a.status != 200 || strings.Contains(a.body, "warnings") {
			t.Errorf("%s: got %d %s, want no warning", endpoint, a.status, a.body)
		}
	}
}
