package httpapi_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// example is a webhook with everything, and its response to the byte.
const (
	example = `{"id":"` + id1 + `","name":"CRM","url":"https://endpoint.example/webhook",
		"events":["message.created"],"headers":{"X-Custom-Header":"value"},"signature_key":"key-1"}`
	exampleResponse = `{"id":"3e639566-29fa-450d-a59f-ae3c25d7260f","name":"CRM","url":"https://endpoint.example/webhook",` +
		`"events":["message.created"],"headers":{"X-Custom-Header":"value"},"status":"Subscribed","signed":true}`
)

var versions = regexp.MustCompile(`,"version":"[0-9a-z]+"`)

func TestResponseBytes(t *testing.T) {
	h := newHost(t, config{})
	unsubscribed := strings.Replace(exampleResponse, "Subscribed", "Unsubscribed", 1)
	id := `{"id":"` + id1 + `"}`
	for _, step := range []struct{ endpoint, body, want string }{
		{"subscribe", example, exampleResponse},
		{"info", id, exampleResponse},
		{"list", "", `{"data":[` + exampleResponse + `]}`},
		{"list", "{}", `{"data":[` + exampleResponse + `]}`},
		{"update", id, exampleResponse},
		{"unsubscribe", id, unsubscribed},
		{"unsubscribe", id, unsubscribed}, // idempotent
		{"info", id, unsubscribed},
		{"list", "", `{"data":[` + unsubscribed + `]}`}, // it stays
	} {
		a := h.post(step.endpoint, step.body)
		got := a.body
		if step.endpoint == "info" { // which has the version too, another each time
			got = strings.Replace(got, versions.FindString(got), "", 1)
		}
		if a.status != 200 || got != step.want {
			t.Errorf("%s: got %d %s\nwant 200 %s", step.endpoint, a.status, a.body, step.want)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
			"Cache-Control":  "no-store",
			"Content-Length": strconv.Itoa(len(a.body) + 1), // the newline
		} {
			if got := a.header.Values(name); !reflect.DeepEqual(got, []string{want}) {
				t.Errorf("%s: got %s %q, want %q", step.endpoint, name, got, want)
			}
		}
	}
}

func TestEmptyResponse(t *testing.T) {
	h := newHost(t, config{})
	if got, want := h.post("list", "").body, `{"data":[]}`; got != want {
		t.Errorf("an empty list: got %s, want %s", got, want)
	}
	got := h.post("subscribe", `{"id":"`+id1+`","url":"https://endpoint.example/?a=1&b=<2>"}`).body
	want := `{"id":"` + id1 +
		`","url":"https://endpoint.example/?a=1&b=<2>","events":[],"headers":{},"status":"Subscribed","signed":false}`
	if got != want {
		t.Errorf("a webhook with nothing but a URL:\ngot  %s\nwant %s", got, want)
	}
}

func TestSubscribeWithoutID(t *testing.T) {
	h := newHost(t, config{})
	random := regexp.MustCompile(
		`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := make(map[string]bool)
	for _, id := range []string{``, `"id":"",`, `"id":null,`} {
		w := h.must("subscribe", `{`+id+`"url":"https://endpoint.example/"}`)
		if w.ID == nil || !random.MatchString(*w.ID) || seen[*w.ID] {
			t.Fatalf("with %q: got %v, want a new random UUID", id, w.ID)
		}
		seen[*w.ID] = true
	}
	if n := len(decode[list](t, h.post("list", "")).Data); n != len(seen) {
		t.Errorf("got %d webhooks, want %d", n, len(seen))
	}
}

func TestSubscribeReplaces(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	before := h.stored(id1)
	h.must("subscribe", `{"id":"`+strings.ToUpper(id1)+`","url":"https://other.example/"}`)
	got := h.stored(id1)
	want := store.Subscription{
		ID: id1, URL: "https://other.example/", Status: store.Subscribed,
		CreatedAt: before.CreatedAt, UpdatedAt: got.UpdatedAt, SubscribedAt: before.SubscribedAt,
	}
	if len(got.Events)+len(got.Headers) == 0 {
		got.Events, got.Headers = nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if n := len(decode[list](t, h.post("list", "")).Data); n != 1 {
		t.Errorf("got %d webhooks, want the one", n)
	}
}

// An unsubscribed webhook gets nothing, and once it is subscribed again, by either endpoint, what
// comes from then on.
func TestUnsubscribeAndBack(t *testing.T) {
	id := `"id":"` + id1 + `"`
	for _, back := range []struct{ endpoint, body string }{
		{"subscribe", `{` + id + `,"url":"https://endpoint.example/webhook"}`},
		{"update", `{` + id + `,"status":"Subscribed"}`},
	} {
		for _, off := range []struct{ endpoint, body string }{
			{"unsubscribe", `{` + id + `}`},
			{"update", `{` + id + `,"status":"Unsubscribed"}`},
		} {
			t.Run(off.endpoint+" then "+back.endpoint, func(t *testing.T) {
				h := newHost(t, config{})
				h.must("subscribe", example)
				h.publish("before")
				if got := h.must(off.endpoint, off.body).Status; got != "Unsubscribed" {
					t.Errorf("status: got %s, want Unsubscribed", got)
				}
				h.publish("meanwhile")
				if got := h.must(back.endpoint, back.body).Status; got != "Subscribed" {
					t.Errorf("status: got %s, want Subscribed", got)
				}
				h.publish("after")
				want := map[string]store.State{"before": store.Canceled, "after": store.Pending}
				if got := h.deliveries(); !reflect.DeepEqual(got, want) {
					t.Errorf("got deliveries %v, want %v", got, want)
				}
			})
		}
	}
}

// publish publishes a message.created with this id.
func (h *host) publish(id string) {
	h.t.Helper()
	e, err := events.New("message.created", map[string]string{"id": id})
	if err != nil {
		h.t.Fatal(err)
	}
	e.ID = id
	if err := h.d.Publish(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
}

// deliveries returns the states of all deliveries by event.
func (h *host) deliveries() map[string]store.State {
	h.t.Helper()
	page, err := h.d.Deliveries(h.t.Context(), store.DeliveryQuery{AnyTenant: true})
	if err != nil {
		h.t.Fatal(err)
	}
	out := make(map[string]store.State)
	for _, d := range page.Items {
		out[d.EventID] = d.State
	}
	return out
}

func TestUpdateChangesWhatIsGiven(t *testing.T) {
	full := store.Subscription{
		ID: id1, Name: "CRM", URL: "https://endpoint.example/webhook",
		Events:  []string{"message.created"},
		Headers: map[string]string{"X-Custom-Header": "value"}, Secrets: []signing.Secret{"key-1"},
		Status: store.Subscribed,
	}
	for _, test := range []struct {
		fields string
		want   func(*store.Subscription)
	}{
		{``, func(*store.Subscription) {}},
		{`,"url":"https://new.example/"`, func(s *store.Subscription) { s.URL = "https://new.example/" }},
		{`,"url":"https://bücher.example/"`, func(s *store.Subscription) {
			s.URL = "https://xn--bcher-kva.example/"
		}},
		{`,"name":"Data lake"`, func(s *store.Subscription) { s.Name = "Data lake" }},
		{`,"name":""`, func(s *store.Subscription) { s.Name = "" }},
		{`,"name":null`, func(s *store.Subscription) { s.Name = "" }},
		{`,"events":["a.b","c.*"]`, func(s *store.Subscription) { s.Events = []string{"a.b", "c.*"} }},
		{`,"events":[]`, func(s *store.Subscription) { s.Events = nil }},
		{`,"events":null`, func(s *store.Subscription) { s.Events = nil }},
		{`,"headers":{"X-A":"1"}`, func(s *store.Subscription) {
			s.Headers = map[string]string{"X-A": "1"}
		}},
		{`,"headers":{}`, func(s *store.Subscription) { s.Headers = nil }},
		{`,"headers":null`, func(s *store.Subscription) { s.Headers = nil }},
		{`,"signature_key":"key-2"`, func(s *store.Subscription) {
			s.Secrets = []signing.Secret{"key-2"}
		}},
		{`,"signatureKey":"key-2"`, func(s *store.Subscription) {
			s.Secrets = []signing.Secret{"key-2"}
		}},
		{`,"signature_key":""`, func(s *store.Subscription) { s.Secrets = nil }},
		{`,"signature_key":null`, func(s *store.Subscription) { s.Secrets = nil }},
		{`,"signatureKey":null`, func(s *store.Subscription) { s.Secrets = nil }},
		{`,"status":"Subscribed"`, func(*store.Subscription) {}},
		{`,"status":"Unsubscribed"`, func(s *store.Subscription) { s.Status = store.Unsubscribed }},
		{`,"name":"A","events":["x"]`, func(s *store.Subscription) {
			s.Name, s.Events = "A", []string{"x"}
		}},
	} {
		t.Run(test.fields, func(t *testing.T) {
			h := newHost(t, config{})
			h.must("subscribe", example)
			h.must("update", `{"id":"`+id1+`"`+test.fields+`}`)
			want := full.Clone()
			test.want(&want)
			got := h.stored(id1)
			got.CreatedAt, got.UpdatedAt, got.SubscribedAt = time.Time{}, time.Time{}, time.Time{}
			if g, w := normal(got), normal(want); !reflect.DeepEqual(g, w) {
				t.Errorf("got %+v\nwant %+v", g, w)
			}
		})
	}
}

// normal makes no difference between nil and empty, and shows the keys.
func normal(s store.Subscription) string {
	keys := make([]string, len(s.Secrets))
	for i, k := range s.Secrets {
		keys[i] = string(k)
	}
	return fmt.Sprintf("%s %q %s %q %q %q %q %s %q %v", s.ID, s.Tenant, s.Name, s.URL, s.Events,
		s.Headers, keys, s.Status, s.DisabledReason, s.OverlapUntil)
}

// A key that update sets takes over at once, also from a rotation that is under way.
func TestUpdateEndsRotation(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	if _, err := h.d.RotateSecret(t.Context(), id1, "key-2", time.Hour); err != nil {
		t.Fatal(err)
	}
	h.must("update", `{"id":"`+id1+`","name":"other"}`)
	if n := len(h.stored(id1).Secrets); n != 2 {
		t.Errorf("after an update without a key: got %d keys, want the 2 of the rotation", n)
	}
	h.must("update", `{"id":"`+id1+`","signature_key":"key-3"}`)
	got := h.stored(id1)
	if want := []signing.Secret{"key-3"}; !reflect.DeepEqual(got.Secrets, want) ||
		!got.OverlapUntil.IsZero() {
		t.Errorf("got %d keys, overlap until %v, want key-3 alone and none", len(got.Secrets),
			got.OverlapUntil)
	}
}

// What the sender disabled stays known as such until the owner says what they want.
func TestDisabledReason(t *testing.T) {
	const reason = "the endpoint answered 410"
	for _, test := range []struct{ endpoint, body, want string }{
		{"update", `{"id":"` + id1 + `","name":"new"}`, reason},
		{"update", `{"id":"` + id1 + `","status":"Unsubscribed"}`, reason},
		{"update", `{"id":"` + id1 + `","status":"Subscribed"}`, ""},
		{"unsubscribe", `{"id":"` + id1 + `"}`, ""},
		{"subscribe", example, ""},
	} {
		h := newHost(t, config{})
		h.must("subscribe", example)
		_, err := h.d.Update(t.Context(), id1, func(s *store.Subscription) error {
			s.Status, s.DisabledReason = store.Unsubscribed, reason
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		h.must(test.endpoint, test.body)
		if got := h.stored(id1).DisabledReason; got != test.want {
			t.Errorf("%s %s: got reason %q, want %q", test.endpoint, test.body, got, test.want)
		}
	}
}
