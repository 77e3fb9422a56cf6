package cloudevents_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
)

var order = events.Event{
	ID: "evt_1", Type: "order paid", Tenant: "acme", Key: `Ä "1" 100%`,
	Time:    time.Date(2026, 3, 1, 9, 0, 0, 123_999_999, time.FixedZone("", 3600)),
	Payload: json.RawMessage(`{ "id": 12345678901234567890, "html": "<b>" }`),
}

func TestStructured(t *testing.T) {
	f := cloudevents.Format{Mode: cloudevents.Structured, Source: "/shop?a=1&b=2",
		Extensions: map[string]string{"tenant": "acme & <sons>", "region": "eu", "none": ""}}
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	m := f.Encode(&order, "https://shop.example/order.json")
	const want = `{"specversion":"1.0","id":"evt_1","source":"/shop?a=1&b=2","type":"order paid",` +
		`"time":"2026-03-01T08:00:00.123Z","subject":"Ä \"1\" 100%",` +
		`"dataschema":"https://shop.example/order.json","region":"eu","tenant":"acme & <sons>",` +
		`"datacontenttype":"application/json",` +
		`"data":{ "id": 12345678901234567890, "html": "<b>" }}`
	if string(m.Body) != want || m.Header != nil ||
		m.ContentType != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("got %s %v\n%s\nwant\n%s", m.ContentType, m.Header, m.Body, want)
	}
	plain := events.Event{ID: "e", Type: "t", Time: time.UnixMilli(0), Payload: []byte(`null`)}
	f.Extensions = nil
	if got, want := string(f.Encode(&plain, "").Body), `{"specversion":"1.0","id":"e",`+
		`"source":"/shop?a=1&b=2","type":"t","time":"1970-01-01T00:00:00.000Z",`+
		`"datacontenttype":"application/json","data":null}`; got != want {
		t.Errorf("the least that there is: got\n%s\nwant\n%s", got, want)
	}
}

func TestBinary(t *testing.T) {
	f := cloudevents.Format{Mode: cloudevents.Binary, Source: "/shop",
		Extensions: map[string]string{"tenant": "a\u20ac~!"}}
	m := f.Encode(&order, "")
	want := http.Header{
		"Ce-Specversion": {"1.0"}, "Ce-Id": {"evt_1"}, "Ce-Source": {"/shop"},
		"Ce-Type": {"order%20paid"}, "Ce-Time": {"2026-03-01T08:00:00.123Z"},
		"Ce-Subject": {"%C3%84%20%221%22%20100%25"}, "Ce-Tenant": {"a%E2%82%AC~!"},
	}
	if !reflect.DeepEqual(m.Header, want) || string(m.Body) != string(order.Payload) ||
		m.ContentType != "application/json" {
		t.Errorf("got %s %s %v\nwant %v", m.ContentType, m.Body, m.Header, want)
	}
}

func TestValidate(t *testing.T) {
	extension := func(name, value string) cloudevents.Format {
		return cloudevents.Format{Mode: cloudevents.Binary, Source: "/",
			Extensions: map[string]string{name: value}}
	}
	many := make(map[string]string)
	for i := range cloudevents.MaxExtensions + 1 {
		many[strings.Repeat("x", i+1)] = "v"
	}
	source := func(s string) cloudevents.Format {
		return cloudevents.Format{Mode: cloudevents.Structured, Source: s}
	}
	for _, tt := range []struct {
		name  string
		f     cloudevents.Format
		field string // of the error; "" for none
	}{
		{"off", cloudevents.Format{Extensions: map[string]string{"!": ""}}, ""},
		{"a path", source("/orders"), ""},
		{"a URN", source("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"), ""},
		{"a fragment", source("https://shop.example/%20?a=b#c"), ""},
		{"20 characters", extension(strings.Repeat("z", 20), "v"), ""},
		{"another alphabet", extension("tenant", "Ärzte €"), ""},

		{"a negative mode", cloudevents.Format{Mode: -1}, "Mode"},
		{"a mode of later", cloudevents.Format{Mode: 3}, "Mode"},
		{"no source", source(""), "Source"},
		{"a blank", source("a b"), "Source"},
		{"another alphabet in a source", source("/ä"), "Source"},
		{"a wrong escape", source("/%zz"), "Source"},
		{"a colon too early", source("1:x"), "Source"},
		{"a long source", source("/" + strings.Repeat("x", 2048)), "Source"},
		{"a hyphen", extension("my-name", "v"), "Extensions"},
		{"a capital", extension("Tenant", "v"), "Extensions"},
		{"no name", extension("", "v"), "Extensions"},
		{"21 characters", extension(strings.Repeat("z", 21), "v"), "Extensions"},
		{"a defined name", extension("subject", "v"), "Extensions"},
		{"data", extension("data", "v"), "Extensions"},
		{"a line break", extension("a", "x\r\nce-id: 1"), "Extensions"},
		{"a noncharacter", extension("a", "\ufffe"), "Extensions"},
		{"no UTF-8", extension("a", "\xff"), "Extensions"},
		{"a long value", extension("a", strings.Repeat("v", 1025)), "Extensions"},
		{"17 extensions", cloudevents.Format{Mode: cloudevents.Binary, Source: "/",
			Extensions: many}, "Extensions"},
	} {
		err := tt.f.Validate()
		invalid := (*events.InvalidError)(nil)
		if errors.As(err, &invalid); (err == nil) != (tt.field == "") ||
			err != nil && (invalid == nil || invalid.Field != tt.field) {
			t.Errorf("%s: got %v, want an error of the field %q", tt.name, err, tt.field)
		}
	}
}

func TestSchemaURI(t *testing.T) {
	for schema, want := range map[string]string{
		`{"$id":"https://shop.example/order.json"}`: "https://shop.example/order.json",
		`{"$id":"urn:shop:order"}`:                  "urn:shop:order",
		`{"$id":"order.json"}`:                      "",
		`{"$id":"https://shop.example/ä"}`:          "",
		`{"$id":7}`:                                 "",
		`{}`:                                        "",
		`true`:                                      "",
		``:                                          "",
	} {
		if got := cloudevents.SchemaURI(json.RawMessage(schema)); got != want {
			t.Errorf("SchemaURI(%s) = %q, want %q", schema, got, want)
		}
	}
}

// Whatever an event has that is valid, both modes say the same of it, and headers hold nothing that
// HTTP does not allow.
func TestModesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 60, 250).Filter(func(s string) bool {
			return events.ValidateKey(s) == nil
		})
		e := events.Event{
			ID:      rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`).Draw(t, "id"),
			Type:    rapid.StringMatching(`[A-Za-z0-9_-]{1,9}([./: ][A-Za-z0-9_-]{1,9}){0,3}`).Draw(t, "type"),
			Key:     text.Draw(t, "key"),
			Time:    time.UnixMilli(rapid.Int64Range(0, 253402300799999).Draw(t, "time")),
			Payload: json.RawMessage(`{"a":[1]}`),
		}
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		f := cloudevents.Format{Mode: cloudevents.Structured, Source: "/s",
			Extensions: map[string]string{"tenant": text.Draw(t, "tenant")}}
		if f.Validate() != nil { // a noncharacter
			return
		}
		structured := f.Encode(&e, "")
		f.Mode = cloudevents.Binary
		binary := f.Encode(&e, "")
		var all map[string]any
		if err := json.Unmarshal(structured.Body, &all); err != nil {
			t.Fatalf("%v of %s", err, structured.Body)
		}
		delete(all, "data")
		delete(all, "datacontenttype")
		if len(all) != len(binary.Header) {
			t.Errorf("structured mode has %v, binary mode %v", all, binary.Header)
		}
		for name, want := range all {
			value := binary.Header.Get("ce-" + name)
			if strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' }) {
				t.Errorf("the header %s is %q", name, value)
			}
			if got, err := url.PathUnescape(value); err != nil || got != want {
				t.Errorf("%s is %q in structured mode, and %q in binary mode", name, want, got)
			}
		}
	})
}
