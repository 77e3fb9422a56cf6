package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The example of a type is sent to a webhook that somebody chooses, signed, and its answer shows
// once. It leaves no trace in the history.
func TestSendExample(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{EventTypes: []events.Type{
		{Name: "order.created", Example: []byte(`{"order":4711,"total":"19.90"}`)},
		{Name: "order.paid"},
	}})
	sub := h.subscribe("acme", "crm")
	theirs := h.subscribe("globex", "theirs")
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	types := b.get("types").body
	if !strings.Contains(types, `href="example?type=order.created"`) ||
		strings.Contains(types, "type=order.paid\">Send") {
		t.Errorf("got %s, want a way to send the example of the type that has one", types)
	}
	page := b.get("example?type=order.created")
	if !page.shows(`"order": 4711`) || !page.shows("crm") || page.shows("theirs") {
		t.Errorf("got %s, want the example and the tenant's webhooks", page.body)
	}
	for status, want := range map[int]string{200: "Test of crm succeeded: 200",
		500: "Test of crm failed: 500"} {
		h.r.Answer(status)
		a := b.post("example", url.Values{"id": {sub.ID}, "type": {"order.created"}})
		if a.StatusCode != 200 || !a.shows(want) {
			t.Errorf("answered %d: got %d %s, want %q", status, a.StatusCode, a.body, want)
		}
		got := h.r.Next()
		if got.Type != "order.created" || string(got.Payload) != `{"order":4711,"total":"19.90"}` {
			t.Errorf("got %s %s, want the example", got.Type, got.Payload)
		}
		if err := (signing.Verifier{Keys: sub.Secrets}).Verify(got.Header, got.Body); err != nil {
			t.Error(err)
		}
		for _, page := range []string{"example?type=order.created&id=" + sub.ID,
			"webhook?id=" + sub.ID} {
			if again := b.get(page); again.shows("Test ") {
				t.Errorf("%s shows the result again: %s", page, again.body)
			}
		}
	}
	deliveries, err := h.d.Deliveries(t.Context(), store.DeliveryQuery{AnyTenant: true})
	if err != nil || len(deliveries.Items) != 0 {
		t.Errorf("got %v, %v, want no trace of it", deliveries.Items, err)
	}
	for _, form := range []url.Values{
		{"id": {sub.ID}, "type": {"order.paid"}}, {"id": {sub.ID}, "type": {"nothing"}},
		{"id": {sub.ID}},
	} {
		if a := b.post("example", form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: got %d, want 400", form, a.StatusCode)
		}
	}
	for _, page := range []string{"example", "example?type=order.paid",
		"example?type=order.created&id=" + theirs.ID} {
		if a := b.get(page); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", page, a.StatusCode)
		}
	}
	if operators := h.must("example?type=order.created&text=theirs",
		"X-Operator", "1"); !strings.Contains(operators, "theirs (theirs.example/in?…) of globex") ||
		strings.Contains(operators, "of acme") {
		t.Errorf("got %s, want the webhook of that name, with its tenant", operators)
	}
}
