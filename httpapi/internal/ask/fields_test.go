package ask_test

import (
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// takes has every name of these tests.
var takes = []string{"url", "name", "events", "headers", "signature_key", "signatureKey", "status",
	"page_size", "cursor", "count", "since", "state", "id", "tenant", "event_id", "webhook_id",
	"class", "key", "resolution"}

// read returns the fields of a body that must parse.
func read(t *testing.T, body string) *ask.Fields {
	t.Helper()
	values, err := ask.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return ask.New(values, "test", takes)
}

// A field that is missing is named with what to give.
func TestRequiredSaysWhatToGive(t *testing.T) {
	for field, want := range map[string]string{
		"id": "the id of a webhook", "webhook_id": "the id of a webhook",
		"event_id": "the id of an event", "url": "the address that deliveries are posted to",
	} {
		f := read(t, `{}`)
		f.Required(field)
		if want := field + " is missing; give " + want; !strings.HasPrefix(f.Err.Error(), want) {
			t.Errorf("got %v, want %s", f.Err, want)
		}
	}
}

// Only the first wrong field is named, so that the same request always gets the same message.
func TestFirstErrorStays(t *testing.T) {
	f := read(t, `{"name":5,"url":6}`)
	f.Text("url")
	f.Text("name")
	if got, want := f.Err.Error(), "url is a number; give a string"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnknownFieldsAreNamedInOrder(t *testing.T) {
	f := read(t, `{"zz":1,"aa":1}`)
	if f.Err == nil || !strings.HasPrefix(f.Err.Error(), "aa is not a field of webhooks.test; ") ||
		strings.Contains(f.Err.Error(), "signatureKey") {
		t.Errorf("got %v, want the first unknown name, without the second spelling of the key", f.Err)
	}
}

// No message repeats a value: a key may stand in any field.
func TestNoMessageHasAValue(t *testing.T) {
	const secret = "hunter2"
	for _, body := range []string{
		`{"since":"hunter2"}`, `{"state":"hunter2"}`, `{"state":["hunter2"]}`, `{"count":"hunter2"}`,
		`{"class":"hunter2"}`, `{"status":"hunter2"}`, `{"status":["hunter2"]}`,
		`{"key":"hunter2\n"}`, `{"resolution":"hunter2"}`,
		`{"page_size":"hunter2"}`, `{"events":"hunter2"}`, `{"headers":"hunter2"}`,
		`{"headers":{"A":["hunter2"]}}`, `{"events":[["hunter2"]]}`, `{"id":"hunter2 "}`,
	} {
		f := read(t, body)
		f.Time("since")
		f.States("state")
		f.Bool("count", false)
		f.Int("page_size", 1, 10)
		f.List("events")
		f.Dict("headers")
		ask.Deliveries(f, ask.Scope{})
		ask.Figures(f, ask.Scope{})
		if id, ok := f.Text("id"); ok {
			f.CheckEventID("id", id)
		}
		if f.Err == nil || strings.Contains(f.Err.Error(), secret) {
			t.Errorf("%s: got %v, want an error without the value", body, f.Err)
		}
	}
}

func TestParseStatusRange(t *testing.T) {
	for text, want := range map[string]store.StatusRange{
		"100": {From: 100, To: 100}, "503": {From: 503, To: 503}, "999": {From: 999, To: 999},
		"1xx": {From: 100, To: 199}, "9xx": {From: 900, To: 999},
		"": {}, "0": {}, "099": {}, "1000": {}, "0xx": {}, "5x": {}, "50x": {}, "5x0": {}, "5XX": {},
		"xxx": {}, "-503": {}, "503.0": {}, "5xx\n": {}, "٥٠٣": {},
	} {
		got, ok := ask.ParseStatusRange(text)
		if got != want || ok != (want != store.StatusRange{}) {
			t.Errorf("%q: got %v, %t, want %v", text, got, ok, want)
		}
	}
}

// Null, missing and empty are told apart where that matters: in a change.
func TestChange(t *testing.T) {
	before := store.Subscription{URL: "https://e.example/", Name: "n", Events: []string{"a"},
		Headers: map[string]string{"A": "1"}, Secrets: []signing.Secret{"old", "older"},
		Status: store.Unsubscribed, DisabledReason: "410"}
	for _, test := range []struct {
		body  string
		check func(store.Subscription) bool
	}{
		{`{}`, func(s store.Subscription) bool {
			return s.Name == "n" && len(s.Events) == 1 && len(s.Headers) == 1 && len(s.Secrets) == 2
		}},
		{`{"name":null,"events":null,"headers":null,"signature_key":null}`,
			func(s store.Subscription) bool {
				return s.Name == "" && len(s.Events) == 0 && len(s.Headers) == 0 && len(s.Secrets) == 0
			}},
		{`{"signatureKey":"new"}`, func(s store.Subscription) bool {
			return len(s.Secrets) == 1 && s.Secrets[0] == "new"
		}},
		{`{"status":"Unsubscribed"}`, func(s store.Subscription) bool {
			return s.DisabledReason == "410"
		}},
		{`{"status":"Subscribed"}`, func(s store.Subscription) bool {
			return s.DisabledReason == "" && s.Status == store.Subscribed
		}},
	} {
		f := read(t, test.body)
		c := ask.ReadChange(f)
		after := before
		c.Apply(&after)
		if f.Err != nil || !test.check(after) {
			t.Errorf("%s: got %+v, %v", test.body, after, f.Err)
		}
		if removes := strings.Contains(test.body, `"signature_key":null`); c.RemovesKey() != removes {
			t.Errorf("%s: RemovesKey is %t, want %t", test.body, c.RemovesKey(), removes)
		}
	}
}

// Without page_size and cursor a list is Airy's, of all; an empty cursor asks for the first page.
func TestSubscriptionsPaged(t *testing.T) {
	b := ask.PageBounds{Default: 7, Most: 9}
	for body, want := range map[string]int{
		`{}`: 0, `{"cursor":null}`: 0, `{"page_size":null}`: 0, `{"cursor":""}`: 7, `{"page_size":9}`: 9,
		`{"cursor":"x","page_size":1}`: 1,
	} {
		f := read(t, body)
		q, paged := ask.Subscriptions(f, ask.Scope{Tenant: "acme"}, b)
		if f.Err != nil || q.Limit != want || paged != (want > 0) || q.Tenant != "acme" {
			t.Errorf("%s: got %+v, %t, %v; want the limit %d", body, q, paged, f.Err, want)
		}
	}
}

// Only an operator's request is about what its field "tenant" says.
func TestScope(t *testing.T) {
	for _, tt := range []struct {
		body     string
		operator bool
		want     ask.Scope
	}{
		{`{}`, false, ask.Scope{Tenant: "acme"}},
		{`{"tenant":"globex"}`, false, ask.Scope{Tenant: "acme"}},
		{`{}`, true, ask.Scope{AnyTenant: true}},
		{`{"tenant":null}`, true, ask.Scope{AnyTenant: true}},
		{`{"tenant":""}`, true, ask.Scope{}},
		{`{"tenant":"globex"}`, true, ask.Scope{Tenant: "globex"}},
	} {
		f := read(t, tt.body)
		if got := ask.ReadScope(f, "acme", tt.operator); got != tt.want || f.Err != nil {
			t.Errorf("%s of an operator %t: got %+v, %v, want %+v", tt.body, tt.operator, got, f.Err,
				tt.want)
		}
	}
	f := read(t, `{"event_id":"e1"}`)
	if ask.Deliveries(f, ask.Scope{AnyTenant: true}); f.Err == nil {
		t.Error("an event's ID of any tenant is taken")
	}
	f = read(t, `{"event_id":"e1","webhook_id":"w1"}`)
	if ask.Deliveries(f, ask.Scope{AnyTenant: true}); f.Err != nil {
		t.Errorf("an event's ID with a webhook: %v", f.Err)
	}
}
