package form_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/store"
)

// A header keeps its value by its own name alone.
func TestHeadersFor(t *testing.T) {
	has := map[string]string{"X-Key": "secret"}
	for _, c := range []struct {
		name, value, stored string
		want                map[string]string
		fails               bool
	}{
		{"X-Key", "", "X-Key", has, false},
		{"X-Key", "new", "X-Key", map[string]string{"X-Key": "new"}, false},
		{"X-Other", "", "X-Key", map[string]string{}, true},
		{"X-Gone", "", "X-Gone", map[string]string{}, true},
		{"X-Other", "", "", map[string]string{}, true},
	} {
		f, _ := form.ReadWebhook(url.Values{
			"hn": {c.name}, "hv": {c.value}, "ho": {c.stored},
		}, "acme", false)
		got := f.HeadersFor(f.URL, has)
		if !reflect.DeepEqual(got, c.want) || (f.Errors["headers"] != "") != c.fails {
			t.Errorf("%+v: got %v and errors %v", c, got, f.Errors)
		}
	}
}

// Only an operator chooses the tenant; patterns are read from boxes and from lines, each once.
func TestReadWebhook(t *testing.T) {
	values := url.Values{"tenant": {"other"}, "type": {"a.b"}, "patterns": {"c.*\r\n a.b, d"}}
	for operator, tenant := range map[bool]string{false: "acme", true: "other"} {
		f, patterns := form.ReadWebhook(values, "acme", operator)
		if want := []string{"a.b", "c.*", "d"}; f.Tenant != tenant ||
			!reflect.DeepEqual(patterns, want) {
			t.Errorf("operator %v: got %q and %q, want %q and %q",
				operator, f.Tenant, patterns, tenant, want)
		}
	}
}

// A form that is shown has what is in the catalogue as boxes, and the rest as lines.
func TestFill(t *testing.T) {
	f := new(form.Webhook)
	f.Fill([]events.Type{{Name: "a.b"}, {Name: "a.c"}}, []string{"a.c", "d.*", "e"})
	if len(f.Types) != 2 || f.Types[0].Chosen || !f.Types[1].Chosen || f.Patterns != "d.*\ne" ||
		len(f.Headers) == 0 {
		t.Errorf("got %+v", f)
	}
}

// A filter narrows what the sender may see, whatever a form has.
func TestReadFilter(t *testing.T) {
	within := store.DeliveryQuery{Tenant: "acme", SubscriptionID: "s"}
	got := form.ReadFilter(url.Values{
		"tenant": {"other"}, "id": {"t"}, "event": {"e"}, "state": {"dead"}, "type": {"a.b"},
		"since": {"2026-05-03T14:00"}, "until": {"2026-05-03T15:00:00Z"},
	}, within, "")
	want := within
	want.EventID, want.EventType, want.States = "e", "a.b", []store.State{store.Dead}
	want.Since = time.Date(2026, 5, 3, 14, 0, 0, 0, time.UTC)
	want.Until = want.Since.Add(time.Hour)
	if !reflect.DeepEqual(got.Query, want) || got.Problem != "" || got.Tenant != "" {
		t.Errorf("got %+v, want the query %+v", got, want)
	}
	for name, values := range map[string]url.Values{
		"no state":         {"state": {"lost"}},
		"no type":          {"type": {"a\nb"}},
		"no tag":           {"tag": {"a b"}},
		"no time":          {"since": {"yesterday"}},
		"end before start": {"since": {"2026-05-03T14:00"}, "until": {"2026-05-03T13:00"}},
	} {
		f := form.ReadFilter(values, within, "")
		if f.Problem == "" || len(f.Query.States) > 0 || f.Query.EventType != "" ||
			!f.Query.Until.IsZero() {
			t.Errorf("%s: got %+v", name, f)
		}
	}
	all := store.DeliveryQuery{AnyTenant: true}
	if f := form.ReadFilter(url.Values{"event": {"e"}}, all, ""); f.Problem == "" ||
		f.Query.EventID != "" {
		t.Errorf("an event of all tenants: got %+v", f)
	}
}

// What a filter selects, the URL that it makes selects too: of links, of the form and of a replay.
func TestFilterURL(t *testing.T) {
	within := store.DeliveryQuery{Tenant: "acme"}
	values := url.Values{"state": {"pending"}, "class": {"timeout"}, "status": {"5xx"},
		"type": {"a.b"}, "key": {"k 1"}, "tag": {"vip"},
		"since": {"2026-05-03T14:00"}, "until": {"2026-05-04T14:00"}}
	f := form.ReadFilter(values, within, "")
	want := within
	want.States, want.ErrorClass = []store.State{store.Pending}, "timeout"
	want.LastStatus = store.StatusRange{From: 500, To: 599}
	want.EventType, want.Key, want.Tag = "a.b", "k 1", "vip"
	want.Since = time.Date(2026, 5, 3, 14, 0, 0, 0, time.UTC)
	want.Until = want.Since.Add(24 * time.Hour)
	if f.Problem != "" || !reflect.DeepEqual(f.Query, want) {
		t.Fatalf("got %+v and %q, want %+v", f.Query, f.Problem, want)
	}
	again, err := url.Parse(f.URL("deliveries"))
	if err != nil {
		t.Fatal(err)
	}
	if got := form.ReadFilter(again.Query(), within, ""); !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v by its URL, want %+v", got, f)
	}
	// A filter of fixed times is shown in fields, which take no seconds and no zone.
	f.Freeze(time.Date(2026, 5, 3, 18, 30, 5, 6, time.UTC))
	if f.SinceInput() != "2026-05-03T14:00" || f.UntilInput() != "2026-05-03T18:30" {
		t.Errorf("got fields from %q until %q", f.SinceInput(), f.UntilInput())
	}
	words := f.Words()
	if len(words) != 8 || words[6] != "Published from: 2026-05-03 14:00:00 UTC" {
		t.Errorf("got the words %q, want one for each of its eight parts", words)
	}
}
