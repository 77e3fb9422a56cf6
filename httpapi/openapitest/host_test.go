package openapitest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// The description of a host has its title, its event types and its security schemes, and is still
// one that can be read.
func TestDescriptionOfAHost(t *testing.T) {
	o, api := declaring()
	w := httptest.NewRecorder()
	newHandler(t, o, api).ServeHTTP(w,
		httptest.NewRequest(http.MethodGet, "/hooks/webhooks.openapi", nil))
	d := parse(t, w.Body.Bytes(), true)
	if err := d.doc.Validate(t.Context(), openapi3.EnableMultiError()); err != nil {
		t.Error(err)
	}
	if d.doc.Info.Title != "Orders" || d.doc.Servers[0].URL != "/hooks" {
		t.Errorf("got the title %q at %q, want Orders at /hooks", d.doc.Info.Title, d.doc.Servers[0].URL)
	}
	var names []string
	for name := range d.doc.Webhooks {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"message.created", "order.created", "order.note", "webhook.challenge",
		"webhook.disabled",
		"webhook.exhausted", "webhook.ping"}
	if !slices.Equal(names, want) {
		t.Errorf("got the event types %q, want %q", names, want)
	}
	if _, left := d.doc.Components.Schemas["channelPayload"]; left {
		t.Error("the payload of a type that this host does not publish is described")
	}
	var schemes []string
	for _, s := range d.doc.Security {
		for name := range s {
			schemes = append(schemes, name)
		}
	}
	if slices.Sort(schemes); !slices.Equal(schemes, []string{"session", "token"}) ||
		len(d.doc.Components.SecuritySchemes) != 2 {
		t.Errorf("got the security %v, want session or token", d.doc.Security)
	}
	item := d.doc.Webhooks["order.created"]
	if item.Post.Summary != "An order was placed." || item.Post.Security == nil ||
		len(*item.Post.Security) != 0 {
		t.Errorf("order.created is described as %q with the security %v", item.Post.Summary,
			item.Post.Security)
	}
	for payload, valid := range map[string]bool{
		`{"id":"o1"}`: true,
		`{"id":"o1","lines":[{"price":1,"part":{"price":2}}],"parent":{"id":"o0"}}`: true,
		`{}`:                       false,
		`{"id":"o1","lines":[{}]}`: false,
		`{"id":"o1","parent":{}}`:  false,
		`{"id":"o1","lines":[{"price":1,"part":{}}]}`: false,
	} {
		r := newRequest(http.MethodPost, "/", []byte(`{"type":"order.created","timestamp":1,"payload":`+
			payload+`}`))
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-attempt"} {
			r.Header.Set(name, "1")
		}
		if err := d.checkRequest(r, item); (err == nil) != valid {
			t.Errorf("%s: %v, want valid: %v", payload, err, valid)
		}
	}
	if strings.Contains(w.Body.String(), "$defs") {
		t.Error("a reference leads to where a schema was, and not to where it is")
	}
}
