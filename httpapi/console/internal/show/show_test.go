package show_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// A time is said in days however far it is away.
func TestAgo(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		t    time.Time
		want string
	}{
		{time.Time{}, "never"}, {now, "now"}, {now.Add(-90 * time.Minute), "1 h ago"},
		{now.Add(-47*time.Hour - time.Minute), "47 h ago"}, {now.Add(-50 * time.Hour), "2 days ago"},
		{now.Add(90*time.Minute + time.Minute), "in 1 h"}, {now.Add(73 * time.Hour), "in 3 days"},
		{now.AddDate(0, 0, 182_500).Add(time.Hour), "in 182500 days"},
		{now.AddDate(0, 0, -365_000).Add(-time.Hour), "365000 days ago"},
	} {
		if got := show.Ago(tt.t); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.t, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		show.Number(999):                         "999",
		show.Number(1000):                        "1,000",
		show.Number(-1234567):                    "-1,234,567",
		show.Percent(0.99999):                    "> 99.9 %",
		show.Percent(0.9949):                     "99.4 %",
		show.Percent(0.0001):                     "< 0.1 %",
		show.Percent(1):                          "100 %",
		show.Plural(1, "delivery"):               "1 delivery",
		show.Plural(2, "delivery"):               "2 deliveries",
		show.Plural(2, "day"):                    "2 days",
		show.IsAre(0, "delivery"):                "No delivery is",
		show.Span(47 * time.Hour):                "47 h",
		show.Span(48 * time.Hour):                "2 days",
		show.Duration(1500 * time.Millisecond):   "1.5 s",
		show.To("list"):                          "list",
		show.To("", "a", "", "b", "c d"):         "./?b=c+d",
		show.URL("https://h.example/p?token=x"):  "h.example/p?…",
		show.URL("http://u:pw@h.example:81/p"):   "http://h.example:81/p",
		show.URL("https://h.example/\u202e/a\n"): "(not readable)",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What somebody may not see is not in what a template gets.
func TestPayloadIsHidden(t *testing.T) {
	ev := &store.StoredEvent{ID: "e", Body: []byte(`{"payload":{"name":"Ada"}}`)}
	sub := store.Subscription{URL: "https://h.example/p?token=x"}
	redact := func(store.Subscription, events.Event) []byte { return []byte(`{}`) }
	for name, c := range map[string]struct {
		events show.Events
		want   show.Payload
		curl   bool
	}{
		"hidden":   {show.Events{}, show.Payload{Hidden: true}, false},
		"redacted": {show.Events{Payloads: true, Redact: redact}, show.Payload{Text: "{}"}, false},
		"shown": {show.Events{Payloads: true},
			show.Payload{Text: "{\n  \"name\": \"Ada\"\n}", Raw: `{"name":"Ada"}`}, true},
	} {
		if got := c.events.Payload(sub, ev); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if got := c.events.Curl(&sub, ev); (got != "") != c.curl {
			t.Errorf("%s: the command is %q", name, got)
		}
	}
	a := store.Attempt{Response: []byte("Ada"),
		Detail: &store.AttemptDetail{RemoteAddress: "10.0.0.1:443"}}
	none, all := show.Events{}, show.Events{Payloads: true}
	if got := none.NewAttempt(a, false); got.Body != "" || got.Remote != "" {
		t.Errorf("a customer without payloads gets %q and %q", got.Body, got.Remote)
	}
	if got := all.NewAttempt(a, true); got.Body != "Ada" || got.Remote == "" {
		t.Errorf("an operator gets %q and %q", got.Body, got.Remote)
	}
}
