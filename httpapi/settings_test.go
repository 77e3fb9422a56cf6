package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// setting is a webhook with all that few have, as a request writes it and a response shows it.
const setting = `"description":"for <people>","metadata":{"region":"eu","team":"crm"}`

func TestSettings(t *testing.T) {
	h := newHost(t, config{})
	a := h.post("subscribe", `{"url":"https://endpoint.example/",`+setting+`}`)
	id := *decode[webhook](t, a).ID
	sub := h.stored(id)
	if sub.Description != "for <people>" || len(sub.Metadata) != 2 || sub.Metadata["team"] != "crm" {
		t.Errorf("stored: %q, %v", sub.Description, sub.Metadata)
	}
	shown := func(what string, a answer, want string) {
		t.Helper()
		if a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: got %d %s, want %s in it", what, a.status, a.body, want)
		}
	}
	shown("subscribe", a, setting)
	shown("info", h.post("info", `{"id":"`+id+`"}`), setting)
	shown("list", h.post("list", ``), setting)
	update := func(fields string) answer { return h.post("update", `{"id":"`+id+`",`+fields+`}`) }
	shown("an update of another field", update(`"name":"n"`), setting)
	shown("an update of the metadata", update(`"metadata":{"a":"b"}`),
		`"description":"for <people>","metadata":{"a":"b"}`)
	for _, empty := range []string{`"description":null,"metadata":null`,
		`"description":"","metadata":{}`} {
		update(setting)
		a := update(empty)
		for _, field := range []string{"description", "metadata", "filter", "fields", "rate",
			"timeout_seconds"} {
			if strings.Contains(a.body, field) {
				t.Errorf("emptied by %s: %s is in %s", empty, field, a.body)
			}
		}
	}
}

// TestSettingsOfTheHost: what the host alone may set is shown, and stays when its owner changes
// something else.
func TestSettingsOfTheHost(t *testing.T) {
	h := newHost(t, config{})
	id := *h.must("subscribe", `{"url":"https://endpoint.example/"}`).ID
	_, err := h.store.UpdateSubscription(t.Context(), id, func(s *store.Subscription) error {
		s.Filter, s.Fields = `{"n":{"$gte":1.50}}`, []string{"a.b", "c"}
		s.Rate, s.Timeout = 2.5, 1500*time.Millisecond
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `"filter":{"n":{"$gte":1.50}},"fields":["a.b","c"],"rate":2.5,"timeout_seconds":1.5`
	for _, a := range []answer{h.post("info", `{"id":"`+id+`"}`),
		h.post("update", `{"id":"`+id+`","name":"n"}`),
		h.post("update", `{"id":"`+id+`","rate":2.5,"timeout_seconds":1.5}`)} { // as it was shown
		if !strings.Contains(a.body, want) {
			t.Errorf("got %s, want %s in it", a.body, want)
		}
	}
	for _, field := range []string{"filter", "fields", "rate", "timeout_seconds"} {
		for _, a := range []answer{
			h.post("update", `{"id":"`+id+`","`+field+`":1}`),
			h.post("subscribe", `{"url":"https://endpoint.example/","`+field+`":1}`),
		} {
			want := field + " can't be set here; " // what is the host's to allow
			if field == "filter" || field == "fields" {
				want = field + " is a number; "
			}
			if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, want) {
				t.Errorf("%s: got %d %q, want a 400 that names it", field, a.status, text)
			}
		}
		if a := h.post("update", `{"id":"`+id+`","`+field+`":null}`); a.status != 200 ||
			strings.Contains(a.body, `"`+field+`"`) {
			t.Errorf("%s is null: got %d %s, want it gone", field, a.status, a.body)
		}
	}
	// What is no JSON does not spoil the response.
	if _, err := h.store.UpdateSubscription(t.Context(), id, func(s *store.Subscription) error {
		s.Filter = `{"a`
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if a := h.post("info", `{"id":"`+id+`"}`); !strings.Contains(a.body, `"filter":"{\"a"`) {
		t.Errorf("a filter that is no JSON: got %d %s", a.status, a.body)
	}
}

func TestListByMetadata(t *testing.T) {
	h := newHost(t, config{})
	for name, fields := range map[string]string{
		"one": `"metadata":{"team":"crm","region":"eu"}`, "two": `"metadata":{"team":"crm"}`,
		"three": `"description":"crm of Müller"`,
	} {
		h.must("subscribe", `{"url":"https://endpoint.example/","name":"`+name+`",`+fields+`}`)
	}
	for filter, want := range map[string]int{
		`"metadata":{"team":"crm"}`: 2, `"metadata":{"region":"eu","team":"crm"}`: 1,
		`"metadata":{"team":"CRM"}`: 0, `"metadata":{}`: 3, `"text":"MÜLLER"`: 1,
	} {
		got := decode[list](t, h.post("list", `{"page_size":10,`+filter+`}`))
		if len(got.Data) != want {
			t.Errorf("list by %s: got %v, want %d", filter, names(got), want)
		}
	}
	for filter, field := range map[string]string{
		`"metadata":{"team":"crm"}`: "page_size", `"page_size":9,"metadata":{"a b":""}`: "metadata",
	} {
		a := h.post("list", `{`+filter+`}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, field+" ") {
			t.Errorf("list by %s: got %d %q, want a 400 about %s", filter, a.status, text, field)
		}
	}
}

func TestTags(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", `{"url":"https://endpoint.example/"}`)
	at := time.Now()
	for id, tags := range map[string][]string{"one": {"vip", "a:1", "vip"}, "two": {"eu"},
		"none": nil} {
		e, err := events.New("a.b", 1)
		if err != nil {
			t.Fatal(err)
		}
		e.ID, e.Tags = id, tags
		if id == "one" {
			e.NotBefore, e.ExpiresAt = at.Add(-time.Hour), at.Add(time.Hour)
		}
		if err := h.d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	a := h.post("deliveries", `{"tag":"vip"}`)
	if strings.Count(a.body, `"event_id"`) != 1 || !strings.Contains(a.body, `"event_id":"one"`) {
		t.Errorf("deliveries by tag: got %s", a.body)
	}
	a = h.post("event", `{"event_id":"one"}`)
	const iso = "2006-01-02T15:04:05.000Z"
	for _, want := range []string{`"tags":["a:1","vip"]`,
		`"not_before":"` + at.Add(-time.Hour).UTC().Format(iso) + `"`,
		`"expires_at":"` + at.Add(time.Hour).UTC().Format(iso) + `"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("event: got %s, want %s in it", a.body, want)
		}
	}
	for _, field := range []string{"tags", "not_before", "expires_at"} {
		if a := h.post("event", `{"event_id":"none"}`); strings.Contains(a.body, field) {
			t.Errorf("an event without %s: got %s", field, a.body)
		}
	}
	a = h.post("deliveries", `{"tag":"a b"}`)
	if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "tag ") {
		t.Errorf("deliveries by what is no tag: got %d %q", a.status, text)
	}
}

// TestOwnersSetRateAndTimeout: within the bounds that the host has set, and where it has.
func TestOwnersSetRateAndTimeout(t *testing.T) {
	h := newHost(t, config{types: &dispatcher.Options{
		OwnerMay: dispatcher.OwnerBounds{Timeout: 30 * time.Second, Rate: 10},
	}})
	const set = `"rate":0.5,"timeout_seconds":2.5`
	id := *h.must("subscribe", `{"url":"https://endpoint.example/"}`).ID
	for name, body := range map[string]string{
		"subscribe": `{"url":"https://endpoint.example/",` + set + `}`,
		"update":    `{"id":"` + id + `",` + set + `}`,
	} {
		if a := h.post(name, body); a.status != 200 || !strings.Contains(a.body, set) {
			t.Errorf("%s: got %d %s, want %s in it", name, a.status, a.body, set)
		}
	}
	if got := h.stored(id); got.Rate != 0.5 || got.Timeout != 2500*time.Millisecond {
		t.Errorf("stored %v and %v", got.Rate, got.Timeout)
	}
	for field, want := range map[string]string{
		`"rate":10.5`:           "rate is 10.5; give 0.001 to 10 attempts a second",
		`"rate":0.0001`:         "rate is 0.0001; give 0.001 to 10 attempts a second",
		`"timeout_seconds":31`:  "timeout_seconds is 31; give 0.1 to 30",
		`"timeout_seconds":0.1`: "",
		`"rate":10`:             "",
		`"name":"n"`:            "",
	} {
		a := h.post("update", `{"id":"`+id+`",`+field+`}`)
		if want == "" && a.status != 200 {
			t.Errorf("%s: got %d %s", field, a.status, a.body)
		}
		if want != "" && (a.status != 400 || message(t, a) != want) {
			t.Errorf("%s: got %d %s, want 400 %q", field, a.status, a.body, want)
		}
	}
	h.post("update", `{"id":"`+id+`","rate":null,"timeout_seconds":0}`)
	if got := h.stored(id); got.Rate != 0 || got.Timeout != 0 {
		t.Errorf("emptied, it has %v and %v", got.Rate, got.Timeout)
	}
}
