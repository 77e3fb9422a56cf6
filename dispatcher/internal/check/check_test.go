package check_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// field returns the field that an error is about; empty for nil, and the text of any other error.
func field(err error) string {
	var invalid *events.InvalidError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &invalid):
		return invalid.Field
	}
	return err.Error()
}

func rules() check.Rules {
	return check.Rules{
		Guard: &netguard.Policy{}, MinSecret: 14, MaxPayload: 10,
		Types: []string{"order.created", "order.paid"},
	}
}

func TestSubscription(t *testing.T) {
	valid := store.Subscription{URL: "https://a.example/hook", Status: store.Subscribed}
	old := valid.Clone()
	old.URL, old.Events = "http://127.0.0.1/", []string{"gone"}
	old.Secrets = []signing.Secret{"short"}
	for _, test := range []struct {
		name   string
		was    store.Subscription
		change func(*store.Subscription)
		want   string // the field that is wrong
	}{
		{"valid", store.Subscription{}, func(*store.Subscription) {}, ""},
		{"paused", store.Subscription{}, func(s *store.Subscription) { s.Status = store.Paused }, ""},
		{"no status", store.Subscription{}, func(s *store.Subscription) { s.Status = "" }, "status"},
		{"no URL", store.Subscription{}, func(s *store.Subscription) { s.URL = "" }, "url"},
		{"a denied URL", store.Subscription{},
			func(s *store.Subscription) { s.URL = "http://127.0.0.1/" }, "url"},
		{"an unknown type", store.Subscription{},
			func(s *store.Subscription) { s.Events = []string{"order.shipped"} }, "events"},
		{"a family", store.Subscription{},
			func(s *store.Subscription) { s.Events = []string{"order.*"} }, ""},
		{"an operational type", store.Subscription{},
			func(s *store.Subscription) { s.Events = []string{events.TypeDisabled} }, "events"},
		{"a long description", store.Subscription{},
			func(s *store.Subscription) { s.Description = strings.Repeat("ä", 1025) }, "description"},
		{"bad metadata", store.Subscription{},
			func(s *store.Subscription) { s.Metadata = map[string]string{"a b": ""} }, "metadata"},
		{"a long name", store.Subscription{},
			func(s *store.Subscription) { s.Name = strings.Repeat("ä", check.MaxName+1) }, "name"},
		{"a header of the sender's", store.Subscription{},
			func(s *store.Subscription) { s.Headers = map[string]string{"Webhook-Id": "x"} }, "headers"},
		{"a short key", store.Subscription{},
			func(s *store.Subscription) { s.Secrets = []signing.Secret{"short"} }, "signature_key"},
		{"what was allowed once", old,
			func(s *store.Subscription) { *s = old.Clone(); s.Name = "A" }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			sub, r := valid.Clone(), rules()
			test.change(&sub)
			if got := field(r.Subscription(&sub, &test.was)); got != test.want {
				t.Errorf("got an error for %q, want for %q", got, test.want)
			}
		})
	}
}

// TestStatusClearsTheReason: a host that sets the status alone need not know of it.
func TestStatusClearsTheReason(t *testing.T) {
	for status, want := range map[store.Status]string{
		store.Subscribed: "", store.Paused: "", store.Unsubscribed: "gone",
	} {
		sub, r := store.Subscription{URL: "https://a.example/", Status: status,
			DisabledReason: "gone"}, rules()
		if err := r.Subscription(&sub, &store.Subscription{}); err != nil || sub.DisabledReason != want {
			t.Errorf("%s: got the reason %q, %v; want %q", status, sub.DisabledReason, err, want)
		}
	}
}

// TestAnotherURLIsNotVerified: a proof is of one URL.
func TestAnotherURLIsNotVerified(t *testing.T) {
	verified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	was := store.Subscription{URL: "https://a.example/hook", Status: store.Subscribed,
		VerifiedAt: verified}
	for url, want := range map[string]time.Time{was.URL: verified, "https://b.example/": {}} {
		sub, r := was.Clone(), rules()
		sub.URL = url
		if err := r.Subscription(&sub, &was); err != nil || !sub.VerifiedAt.Equal(want) {
			t.Errorf("%s: verified at %v, %v; want %v", url, sub.VerifiedAt, err, want)
		}
		given := store.Subscription{URL: url, Name: "new"}
		if got := check.Replaced(&was, &given); !got.VerifiedAt.Equal(want) || got.Name != "new" {
			t.Errorf("replaced by one of %s: got %+v, want verified at %v", url, got, want)
		}
	}
}

func TestEvent(t *testing.T) {
	schemas := check.Schemas{"order.paid": func(json.RawMessage) error { return errors.New("no") }}
	for _, test := range []struct {
		eventType, payload string
		change             func(*check.Rules)
		want               string
	}{
		{"order.created", "1", func(*check.Rules) {}, ""},
		{"order.created", "12345678901", func(*check.Rules) {}, "payload"},
		{"order.shipped", "1", func(*check.Rules) {}, "type"},
		{"order.shipped", "1", func(r *check.Rules) { r.Types = nil }, ""},
		{"order.paid", "1", func(r *check.Rules) { r.Schemas = schemas }, "payload"},
		{"order.created", "1", func(r *check.Rules) { r.Schemas = schemas }, ""},
		{events.TypeDisabled, "1",
			func(r *check.Rules) { r.Types, r.OperationalEvents = nil, true }, "type"},
		{events.TypeDisabled, "1", func(r *check.Rules) { r.Types = nil }, ""},
	} {
		r := rules()
		test.change(&r)
		e := events.Event{Type: test.eventType, Payload: json.RawMessage(test.payload)}
		if got := field(r.Event(&e)); got != test.want {
			t.Errorf("%s with %s: got an error for %q, want for %q", test.eventType, test.payload, got,
				test.want)
		}
	}
}

func TestSubscriptionID(t *testing.T) {
	const id = "3e639566-29fa-450d-a59f-ae3c25d7260f"
	for given, want := range map[string]string{
		id: id, strings.ToUpper(id): id,
		"": "", "{" + id + "}": "", strings.ReplaceAll(id, "-", ""): "", id + "0": "",
	} {
		got, err := check.SubscriptionID(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", given, got, err, want)
		}
	}
}
