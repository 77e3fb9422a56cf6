package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
)

// filterTests is the response of /webhooks.test_filter, with nothing else in it.
type filterTests struct {
	Tested int `json:"tested"`
	Taken  int `json:"taken"`
	Data   []struct {
		EventID   string `json:"event_id"`
		Tenant    string `json:"tenant"`
		EventType string `json:"event_type"`
		Time      string `json:"time"`
		Taken     bool   `json:"taken"`
		Payload   any    `json:"payload"`
	} `json:"data"`
}

// A filter decides what a webhook gets, its errors name the place, and it can be tried first.
func TestFilter(t *testing.T) {
	h := newHost(t, config{})
	acme := []string{"X-Tenant", "acme"}
	h.must("subscribe", `{"name":"all","url":"https://a.example/"}`, acme...)
	a := h.post("subscribe", `{"url":"https://a.example/","filter":{"total":{"$gte":100},"$or":[{"a":{"$min":1}}]}}`,
		acme...)
	if a.status != http.StatusBadRequest ||
		!strings.HasPrefix(message(t, a), `filter at "/$or/0/a/$min" is no operator; use $eq`) {
		t.Errorf("got %d %s, want 400 that names the place", a.status, a.body)
	}
	const id = "5b7d6f0e-0f3b-4b7f-8a57-6a3f3c1e2d4c"
	a = h.post("subscribe", `{"id":"`+id+`","name":"large","url":"https://a.example/",
		"fields":["total"],"filter":{"total":{"$gte":9007199254740993}}}`, acme...)
	if a.status != 200 {
		t.Fatalf("got %d %s, want a webhook", a.status, a.body)
	}
	if a := h.post("info", `{"id":"`+id+`"}`, acme...); !strings.Contains(a.body,
		`"filter":{"total":{"$gte":9007199254740993}},"fields":["total"]`) ||
		strings.Contains(a.body, "filter_error") {
		t.Errorf("info: got %s, want the filter", a.body)
	}
	publish := func(tenant, id, payload string) {
		t.Helper()
		e, err := events.New("a.b", 0)
		if err != nil {
			t.Fatal(err)
		}
		e.ID, e.Tenant, e.Payload = id, tenant, []byte(payload)
		if err := h.d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	publish("acme", "small", `{"total":9007199254740992,"x":1}`)
	publish("acme", "large", `{"total":9007199254740993,"x":1}`)
	report := decode[eventReport](t, h.post("event", `{"event_id":"small"}`, acme...))
	if got := report.Webhooks[1]; got.Delivery != nil || got.Missed != "filter" {
		t.Errorf("got %+v, want none because of its filter", got)
	}
	if got := h.deliveries(); len(got) != 2 {
		t.Errorf("got %v, want both events", got)
	}

	h.must("subscribe", `{"name":"theirs","url":"https://a.example/"}`, "X-Tenant", "globex")
	publish("globex", "theirs", `{"total":9007199254740999}`)
	const try = `{"filter":{"total":{"$gt":9007199254740992}},"fields":["total"]}`
	a = h.post("test_filter", try, acme...)
	got := decode[filterTests](t, a)
	if a.status != 200 || got.Tested != 2 || got.Taken != 1 || len(got.Data) != 2 ||
		got.Data[0].EventID != "large" || !got.Data[0].Taken || got.Data[1].Taken ||
		got.Data[1].Payload != nil || !strings.Contains(a.body, `"payload":{"total":9007199254740993}}`) {
		t.Errorf("got %d %s, want one of the tenant's two events", a.status, a.body)
	}
	for body, field := range map[string]string{
		`{"filter":{"a":[]}}`: "filter", `{"fields":["a."]}`: "fields", `{"events":["*"]}`: "events",
		`{"filter":"{}"}`: "filter", `{"limit":1}`: "limit",
	} {
		if a := h.post("test_filter", body, acme...); a.status != 400 ||
			!strings.HasPrefix(message(t, a), field+" ") {
			t.Errorf("%s: got %d %s, want 400 that names %s", body, a.status, a.body, field)
		}
	}
	a = h.post("test_filter", `{"events":["b.*"]}`, acme...)
	if a.body != `{"tested":0,"taken":0,"data":[]}` {
		t.Errorf("of other types: got %s, want none", a.body)
	}
	h.must("update", fmt.Sprintf(`{"id":%q,"filter":null,"fields":[]}`, id), acme...)
	if got := h.stored(id); got.Filter != "" || len(got.Fields) > 0 {
		t.Errorf("got filter %q and fields %q, want none", got.Filter, got.Fields)
	}
}

// A filter that was stored and does not parse is shown with what is wrong.
func TestFilterError(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	sub := h.stored(id1)
	sub.ID, sub.Filter = id2, `{"a":{"$regex":"x"}}`
	if _, err := h.store.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{"info", "list"} {
		body := `{"id":"` + id2 + `"}`
		if endpoint == "list" {
			body = `{}`
		}
		a := h.post(endpoint, body)
		if !strings.Contains(a.body, `"filter_error":"filter at \"/a/$regex\" is no operator; use $eq`) ||
			strings.Count(a.body, "filter_error") != 1 {
			t.Errorf("%s: got %s, want what is wrong", endpoint, a.body)
		}
	}
}
