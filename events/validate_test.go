package events_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
)

// valid is an event that Validate takes.
func valid() events.Event {
	return events.Event{
		ID:      "018f3c1e-7a55-7000-8000-000000000001",
		Type:    "message.created",
		Tenant:  "acme",
		Key:     "conversation c1",
		Time:    time.UnixMilli(1603661094560),
		Payload: json.RawMessage(`{"conversation_id":"c1"}`),
	}
}

func TestValidate(t *testing.T) {
	type change = func(*events.Event)
	id := func(s string) change { return func(e *events.Event) { e.ID = s } }
	typ := func(s string) change { return func(e *events.Event) { e.Type = s } }
	tenant := func(s string) change { return func(e *events.Event) { e.Tenant = s } }
	key := func(s string) change { return func(e *events.Event) { e.Key = s } }
	at := func(at time.Time) change { return func(e *events.Event) { e.Time = at } }
	payload := func(s string) change {
		return func(e *events.Event) { e.Payload = json.RawMessage(s) }
	}
	trace := func(s string) change { return func(e *events.Event) { e.Trace = s } }
	tags := func(tags ...string) change { return func(e *events.Event) { e.Tags = tags } }
	window := func(from, to time.Time) change {
		return func(e *events.Event) { e.NotBefore, e.ExpiresAt = from, to }
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

	for _, tt := range []struct {
		name   string
		change change
		field  string // "" for valid
		words  string
	}{
		{"as it is", func(*events.Event) {}, "", ""},

		{"id of all characters", id("Az09_-"), "", ""},
		{"id of 128", id(strings.Repeat("a", 128)), "", ""},
		{"id empty", id(""), "id", "is empty"},
		{"id of 129", id(strings.Repeat("a", 129)), "id", "128"},
		{"id with a dot", id("a.b"), "id", "character"},
		{"id with a space", id("a b"), "id", "character"},
		{"id with a line break", id("a\r\nb"), "id", "character"},
		{"id with an umlaut", id("ä"), "id", "character"},

		{"type of all characters", typ("A-z_0.9"), "", ""},
		{"type empty", typ(""), "type", "is empty"},
		{"type a pattern", typ("message.*"), "type", "character"},

		{"trace", trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "", ""},
		{"trace in capitals", trace("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), "trace",
			"traceparent"},
		{"trace of another version", trace("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
			"trace", "traceparent"},
		{"trace too short", trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"), "trace",
			"traceparent"},
		{"trace too long", trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"), "trace",
			"traceparent"},
		{"trace ID of zeros", trace("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), "trace",
			"traceparent"},
		{"span ID of zeros", trace("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"), "trace",
			"traceparent"},

		{"tags", tags("vip", "order:7", "A.b_c-9", "vip"), "", ""},
		{"16 tags", tags(strings.Split(strings.Repeat("a", 16), "")...), "", ""},
		{"17 tags", tags(strings.Split(strings.Repeat("a", 17), "")...), "tags", "17"},
		{"tag of 64", tags(strings.Repeat("a", 64)), "", ""},
		{"tag of 65", tags("a", strings.Repeat("a", 65)), "tags", "64"},
		{"tag empty", tags(""), "tags", "empty"},
		{"tag with a comma", tags("a,b"), "tags", "character"},
		{"tag with an umlaut", tags("ä"), "tags", "character"},

		{"not before", window(year(1971), time.Time{}), "", ""},
		{"not before, to the end", window(time.UnixMilli(1), year(9999)), "", ""},
		{"not before 1970", window(time.UnixMilli(-1), time.Time{}), "not_before", "1970"},
		{"not before the beginning of 1970", window(time.Unix(0, 999_999), time.Time{}), "not_before",
			"1970"},
		{"not before 10000", window(year(10000), time.Time{}), "not_before", "9999"},
		{"expires", window(time.Time{}, time.UnixMilli(1)), "", ""},
		{"expires in 10000", window(time.Time{}, year(10000)), "expires_at", "9999"},
		{"expires in 1969", window(time.Time{}, year(1969)), "expires_at", "1970"},
		{"expires a millisecond later", window(time.UnixMilli(5), time.UnixMilli(6)), "", ""},
		{"expires at once", window(time.UnixMilli(5), time.UnixMilli(6).Add(-1)), "expires_at",
			"not_before"},

		{"tenant empty", tenant(""), "", ""},
		{"tenant of 256 bytes", tenant(strings.Repeat("ü", 128)), "", ""},
		{"tenant of 257 bytes", tenant(strings.Repeat("ü", 128) + "x"), "tenant", "256"},
		{"tenant invalid UTF-8", tenant("a\xc3"), "tenant", "UTF-8"},
		{"tenant with NUL", tenant("a\x00"), "tenant", "control"},
		{"tenant with DEL", tenant("a\x7f"), "tenant", "control"},
		{"tenant with a C1 control", tenant("a\u0085"), "tenant", "control"},

		{"key empty", key(""), "", ""},
		{"key with signs", key("a/b c:ü 🔑"), "", ""},
		{"key of 257 bytes", key(strings.Repeat("k", 257)), "key", "256"},
		{"key invalid UTF-8", key("\xff"), "key", "UTF-8"},
		{"key with a tab", key("a\tb"), "key", "control"},

		{"first time", at(time.UnixMilli(0)), "", ""},
		{"last time", at(time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)), "", ""},
		{"time zero", at(time.Time{}), "time", "not set"},
		{"time a nanosecond before 1970", at(time.Unix(0, -1)), "time", "before 1970"},
		{"time in year 10000", at(year(10000)), "time", "9999"},
		{"time in the year 10000 elsewhere only",
			at(time.Date(10000, 1, 1, 5, 0, 0, 0, time.FixedZone("", 6*3600))), "", ""},
		{"time past milliseconds", at(year(300_000_000)), "time", "9999"},
		{"time of the largest second", at(time.Unix(math.MaxInt64, 0)), "time", ""},
		{"time of the smallest second", at(time.Unix(math.MinInt64, 0)), "time", ""},

		{"payload null", payload("null"), "", ""},
		{"payload string", payload(`"x"`), "", ""},
		{"payload number", payload(`-1.50e+400`), "", ""},
		{"payload with white space", payload(" \t\r\n[ ]\n"), "", ""},
		{"payload with a lone surrogate", payload(`"\ud800"`), "", ""},
		{"payload with a key twice", payload(`{"a":1,"a":2}`), "", ""},
		{"payload 10,000 deep", payload(deep(10_000)), "", ""},
		{"payload nil", func(e *events.Event) { e.Payload = nil }, "payload", "missing"},
		{"payload empty", payload(""), "payload", "missing"},
		{"payload white space", payload(" "), "payload", "JSON"},
		{"payload cut short", payload(`{"a":`), "payload", "(byte "},
		{"payload two values", payload(`{} {}`), "payload", "after top-level value"},
		{"payload with a comma too many", payload(`[1,]`), "payload", "JSON"},
		{"payload of NaN", payload(`NaN`), "payload", "JSON"},
		{"payload with a raw control character", payload("\"a\nb\""), "payload", "JSON"},
		{"payload with a byte order mark", payload("\ufeff{}"), "payload", "JSON"},
		{"payload invalid UTF-8 in a string", payload("\"a\xffb\""), "payload", "UTF-8"},
		{"payload invalid UTF-8 in a key", payload("{\"a\xed\xa0\x80\":1}"), "payload", "UTF-8"},
		{"payload insanely deep", payload(deep(1_000_000)), "payload", "depth"},
		{"payload insanely deep, open", payload(strings.Repeat(`{"a":`, 1_000_000)), "payload", "depth"},
	} {
		e := valid()
		tt.change(&e)
		err := e.Validate()
		body, bodyErr := e.Body()
		if tt.field == "" {
			if err != nil || bodyErr != nil {
				t.Errorf("%s: Validate: %v, Body: %v, want nil", tt.name, err, bodyErr)
			}
			continue
		}
		wantInvalid(t, tt.name, err, tt.field, tt.words)
		wantInvalid(t, tt.name+", Body", bodyErr, tt.field, tt.words)
		if body != nil {
			t.Errorf("%s: a body beside the error: %.100s", tt.name, body)
		}
	}
}

func TestValidateTenant(t *testing.T) {
	for _, tenant := range []string{"", "acme", "größe 🔑", strings.Repeat("ü", 128)} {
		if err := events.ValidateTenant(tenant); err != nil {
			t.Errorf("ValidateTenant(%q) = %v, want nil", tenant, err)
		}
	}
	for tenant, words := range map[string]string{
		strings.Repeat("ü", 128) + "x": "256",
		"a\xff":                        "UTF-8",
		"a\n":                          "control",
	} {
		wantInvalid(t, "ValidateTenant "+tenant, events.ValidateTenant(tenant), "tenant", words)
	}
}

func TestSortedTags(t *testing.T) {
	given := []string{"b", "a", "b", "a:1"}
	got := events.SortedTags(given)
	if want := []string{"a", "a:1", "b"}; !slices.Equal(got, want) {
		t.Errorf("SortedTags = %q, want %q", got, want)
	}
	if given[0] != "b" || given[3] != "a:1" {
		t.Errorf("SortedTags changed what it was given to %q", given)
	}
	if got := events.SortedTags([]string{}); got != nil {
		t.Errorf("SortedTags of none = %#v, want nil", got)
	}
}

func TestValidateTag(t *testing.T) {
	if err := events.ValidateTag("order:7"); err != nil {
		t.Error(err)
	}
	wantInvalid(t, "ValidateTag of none", events.ValidateTag(""), "tag", "empty")
	wantInvalid(t, "ValidateTag of two", events.ValidateTag("a b"), "tag", "character")
}
