package httpapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// Every field with every wrong type, for every endpoint that takes it.
func TestWrongTypes(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	values := map[string]string{
		"a string": `"x"`, "a number": `5`, "a boolean": `true`, "a list": `[]`, "an object": `{}`,
	}
	for _, test := range []struct{ endpoint, field, takes string }{
		{"subscribe", "id", "a string"}, {"subscribe", "url", "a string"},
		{"subscribe", "name", "a string"}, {"subscribe", "description", "a string"},
		{"subscribe", "metadata", "an object"}, {"subscribe", "filter", "an object"},
		{"subscribe", "fields", "a list"}, {"subscribe", "rate", "a number"},
		{"subscribe", "timeout_seconds", "a number"},
		{"update", "description", "a string"}, {"update", "metadata", "an object"},
		{"list", "metadata", "an object"}, {"deliveries", "tag", "a string"},
		{"replay", "tag", "a string"},
		{"subscribe", "events", "a list"}, {"subscribe", "headers", "an object"},
		{"subscribe", "signature_key", "a string"}, {"subscribe", "signatureKey", "a string"},
		{"update", "id", "a string"}, {"update", "url", "a string"}, {"update", "name", "a string"},
		{"update", "events", "a list"}, {"update", "headers", "an object"},
		{"update", "signature_key", "a string"}, {"update", "signatureKey", "a string"},
		{"update", "status", "a string"}, {"update", "version", "a string"},
		{"unsubscribe", "id", "a string"}, {"info", "id", "a string"},
		{"list", "cursor", "a string"}, {"list", "page_size", "a number"},
		{"list", "text", "a string"}, {"list", "event_type", "a string"},
		{"pause", "id", "a string"}, {"resume", "id", "a string"},
		{"delete", "id", "a string"}, {"ping", "id", "a string"},
		{"ping", "event_type", "a string"}, {"stats", "id", "a string"},
		{"subscribe", "poll", "a boolean"}, {"update", "poll", "a boolean"},
		{"verify", "id", "a string"}, {"poll", "id", "a string"}, {"poll", "cursor", "a string"},
		{"poll", "max", "a number"}, {"poll", "wait_seconds", "a number"},
		{"figures", "id", "a string"}, {"figures", "resolution", "a string"},
		{"rotate", "id", "a string"}, {"rotate", "signature_key", "a string"},
		{"rotate", "signatureKey", "a string"},
		{"rotate", "overlap_seconds", "a number"}, {"rotate", "version", "a string"},
		{"deliveries", "webhook_id", "a string"}, {"deliveries", "event_type", "a string"},
		{"deliveries", "event_id", "a string"}, {"deliveries", "key", "a string"},
		{"deliveries", "class", "a string"},
		{"deliveries", "since", "a string"}, {"deliveries", "until", "a string"},
		{"deliveries", "cursor", "a string"},
		{"deliveries", "page_size", "a number"}, {"deliveries", "count", "a boolean"},
		{"event", "event_id", "a string"}, {"event", "cursor", "a string"},
		{"attempts", "webhook_id", "a string"}, {"attempts", "event_id", "a string"},
		{"redeliver", "webhook_id", "a string"}, {"redeliver", "event_id", "a string"},
		{"replay", "webhook_id", "a string"}, {"replay", "event_type", "a string"},
		{"replay", "event_id", "a string"}, {"replay", "key", "a string"},
		{"replay", "class", "a string"},
		{"replay", "since", "a string"}, {"replay", "until", "a string"},
		{"replay", "dry_run", "a boolean"}, {"replay", "cursor", "a string"},
		{"replay", "page_size", "a number"},
	} {
		for kind, value := range values {
			if kind == test.takes {
				continue
			}
			a := h.post(test.endpoint, body(test.endpoint, test.field, value))
			if text := message(t, a); a.status != 400 ||
				!strings.HasPrefix(text, test.field+" is "+kind+"; give ") {
				t.Errorf("%s, %s is %s: got %d %q, want 400 that says so", test.endpoint, test.field, kind,
					a.status, text)
			}
		}
	}
}

// body is a body that the endpoint would take, with one field set to a JSON value.
func body(endpoint, field, value string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(valid(endpoint)), &fields); err != nil {
		panic(err)
	}
	if field == "signatureKey" {
		delete(fields, "signature_key")
	}
	fields[field] = json.RawMessage(value)
	out, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// What each field takes, up to its bounds, and what it doesn't.
func TestFields(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	key := func(n int) string { return `"` + strings.Repeat("k", n) + `"` }
	url := func(n int) string {
		return `"https://e.example/` + strings.Repeat("u", n-len("https://e.example/")) + `"`
	}
	many := func(n int, item func(int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, ",")
	}
	event := func(i int) string {
		return fmt.Sprintf(`"e%d%s"`, i, strings.Repeat("x", 127-len(fmt.Sprint(i))))
	}
	header := func(i int) string { return fmt.Sprintf(`"X-%d":"%s"`, i, strings.Repeat("v", 4096)) }
	for _, test := range []struct {
		field string
		good  []string
		bad   []string
	}{
		{"url", []string{url(2048), `"http://e.example"`, `"https://e.example:8443/a?b=c&d=e"`,
			`"https://bücher.example/"`},
			[]string{url(2049), `""`, `null`, `"e.example"`, `"ftp://e.example/"`, `"https:///path"`,
				`"https://user:pw@e.example/"`,
				`"https://user@e.example/"`, `"https://e.example/#x"`, `"https://127.0.0.1/"`,
				`"https://[::1]/"`, `"http://169.254.169.254/"`, `"https://e.example/\n"`}},
		{"name", []string{`"` + strings.Repeat("ü", 256) + `"`, `""`, `null`},
			[]string{`"` + strings.Repeat("ü", 257) + `"`}},
		{"events", []string{`[]`, `null`, `["message.*"]`, `["a_b-C.9"]`,
			`["orders/create", "repo:*", "Push Hook"]`, "[" + many(256, event) + "]"},
			[]string{`[""]`, `["*"]`, `["a  b"]`, `["a b*"]`, `["a..b"]`, `["*.a"]`, `[1]`, `[null]`,
				`[["a"]]`,
				"[" + many(257, event) + "]", `["` + strings.Repeat("x", 129) + `"]`}},
		{"headers", []string{`{}`, `null`, `{"X-A":""}`, `{"Authorization":"Bearer x"}`,
			`{"User-Agent":"me"}`, "{" + many(32, header) + "}"},
			[]string{`{"X A":"1"}`, `{"":"1"}`, `{"X-A":"a\nb"}`, `{"X-A":1}`, `{"X-A":null}`,
				`{"X-A":["1"]}`, `{"X-A":"` + strings.Repeat("v", 4097) + `"}`, "{" + many(33, header) + "}",
				`{"Host":"x"}`, `{"content-type":"x"}`, `{"Webhook-Id":"x"}`,
				`{"X-Airy-Content-Signature":"x"}`, `{"Proxy-Authorization":"x"}`, `{"TE":"x"}`}},
		{"signature_key", []string{`"k"`, key(512), `""`, `null`,
			`"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="`},
			[]string{key(513), `"whsec_x"`, `"whsec_AAEC"`}},
	} {
		for _, endpoint := range []string{"subscribe", "update"} {
			for _, value := range test.good {
				if a := h.post(endpoint, body(endpoint, test.field, value)); a.status != 200 {
					t.Errorf("%s, %s %.80s: got %d %s, want 200", endpoint, test.field, value, a.status, a.body)
				}
			}
			for _, value := range test.bad {
				a := h.post(endpoint, body(endpoint, test.field, value))
				if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, test.field+" ") {
					t.Errorf("%s, %s %.80s: got %d %s, want 400 that names the field", endpoint, test.field, value,
						a.status, a.body)
				}
			}
		}
	}
}

func TestIDs(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, endpoint := range []string{"update", "pause", "resume", "unsubscribe", "info", "rotate",
		"ping", "stats", "delete"} {
		for _, value := range []string{`""`, `null`, `"x"`, `"3e639566"`,
			`"3e63956629fa450da59fae3c25d7260f"`, `"{` + id1 + `}"`, `"urn:uuid:` + id1 + `"`,
			`"` + id1 + ` "`} {
			a := h.post(endpoint, `{"id":`+value+`}`)
			if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "id ") {
				t.Errorf("%s of %s: got %d %s, want 400 that names id", endpoint, value, a.status, a.body)
			}
		}
		if a := h.post(endpoint, `{}`); a.status != 400 ||
			!strings.HasPrefix(message(t, a), "id is missing") {
			t.Errorf("%s without id: got %d %s, want 400 that names it", endpoint, a.status, a.body)
		}
		if a := h.post(endpoint, `{"id":"`+strings.ToUpper(id1)+`"}`); a.status != 200 ||
			strings.Contains(a.body, strings.ToUpper(id1)) {
			t.Errorf("%s in capitals: got %d %s, want 200 and the id as it is stored", endpoint, a.status,
				a.body)
		}
	}
	if a := h.post("subscribe", `{"url":"https://e.example/","id":"x"}`); a.status != 400 ||
		!strings.HasPrefix(message(t, a), "id ") {
		t.Errorf("subscribe: got %d %s, want 400 that names id", a.status, a.body)
	}
	if a := h.post("subscribe", `{}`); a.status != 400 ||
		!strings.HasPrefix(message(t, a), "url is missing") {
		t.Errorf("subscribe without url: got %d %s, want 400 that names it", a.status, a.body)
	}
	if got := h.must("subscribe", `{"url":"https://e.example/","id":"`+id2+`"}`).ID; *got != id2 {
		t.Errorf("subscribe under a new id: got %s, want %s", *got, id2)
	}
}

func TestStatusField(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, value := range []string{`""`, `null`, `"subscribed"`, `"SUBSCRIBED"`, `"paused"`} {
		a := h.post("update", body("update", "status", value))
		if text := message(t, a); a.status != 400 || !strings.Contains(text, "Unsubscribed") {
			t.Errorf("%s: got %d %s, want 400 that lists them", value, a.status, a.body)
		}
	}
}

func TestPageFields(t *testing.T) {
	h := newHost(t, config{})
	for _, endpoint := range []string{"list", "deliveries"} {
		for _, value := range []string{`0`, `-1`, `-0`, `1001`, `1.0`, `1e2`, `99999999999999999999`,
			`1e999`} {
			a := h.post(endpoint, `{"page_size":`+value+`}`)
			if text := message(t, a); a.status != 400 || !strings.Contains(text, "page_size") ||
				!strings.Contains(text, "1 to 1000") {
				t.Errorf("%s, page_size %s: got %d %s, want 400 with the bounds", endpoint, value, a.status,
					a.body)
			}
		}
		a := h.post(endpoint, `{"cursor":"not one of ours"}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "cursor ") {
			t.Errorf("%s, a cursor: got %d %s, want 400 that names it", endpoint, a.status, a.body)
		}
	}
}

// What selects deliveries, alike wherever they are selected, and what names one.
func TestDeliveryFields(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	long := strings.Repeat("e", 129)
	for _, test := range []struct {
		field string
		good  []string
		bad   []string
	}{
		{"webhook_id", []string{`null`, `""`, `"` + strings.ToUpper(id1) + `"`},
			[]string{`"x"`, `"3e63956629fa450da59fae3c25d7260f"`, `"` + id1 + ` "`}},
		{"event_type", []string{`null`, `""`, `"message.created"`, `"x"`},
			[]string{`"message.*"`, `"a  b"`, `".a"`, `"a/"`, `"` + long + `"`}},
		{"event_id", []string{`null`, `""`, `"` + event1 + `"`, `"A_b-9"`},
			[]string{`"a b"`, `"a.b"`, `"a\u0000"`, `"ü"`, `"` + long + `"`}},
		{"state", []string{`null`, `""`, `[]`, `"dead"`, `["dead"]`,
			`["pending","delivered","dead","canceled"]`},
			[]string{`"Dead"`, `"alive"`, `["alive"]`, `["dead",""]`, `[""]`, `[1]`, `[null]`,
				`[["dead"]]`, `5`,
				`true`, `{}`}},
		{"class", []string{`null`, `""`, `"timeout"`, `"sender"`},
			[]string{`"Timeout"`, `"time"`, `"timeout: no answer in time"`, `["timeout"]`, `5`, `[]`}},
		{"status", []string{`null`, `""`, `100`, `999`, `"503"`, `"1xx"`, `"9xx"`},
			[]string{`0`, `99`, `1000`, `-503`, `503.0`, `5e2`, `"5XX"`, `"5x"`, `"0xx"`, `"50x"`,
				`" 503"`, `"503 Service Unavailable"`, `[503]`, `[]`, `{}`, `true`}},
		{"key", []string{`null`, `""`, `"order 1/ü"`, `"` + strings.Repeat("k", 256) + `"`},
			[]string{`5`, `["a"]`, `"a\u0000"`, `"a\n"`, `"` + strings.Repeat("k", 257) + `"`}},
		{"since", []string{`null`, `""`, `"2020-10-25T21:24:54.560Z"`, `"2020-10-25T21:24:54+02:00"`},
			[]string{`"2020-10-25"`, `"2020-10-25T21:24:54"`, `"2020-10-25 21:24:54Z"`,
				`"2020-02-30T00:00:00Z"`, `"2020-10-25T9:24:54Z"`, `"2020-10-25T21:24:54,5Z"`, `"yesterday"`,
				`"1603661094560"`}},
		{"until", []string{`null`, `""`, `"2020-10-25T21:24:54.560Z"`},
			[]string{`"2020-10-25"`, `"now"`}},
	} {
		for _, endpoint := range []string{"deliveries", "replay"} {
			beside := "" // a replay must name something
			if test.field != "until" && endpoint == "replay" {
				beside = `,"until":"2100-01-01T00:00:00Z"`
			} else if endpoint == "replay" {
				beside = `,"state":"dead"`
			}
			for _, value := range test.good {
				if a := h.post(endpoint, `{"`+test.field+`":`+value+beside+`}`); a.status != 200 {
					t.Errorf("%s, %s %s: got %d %s, want 200", endpoint, test.field, value, a.status, a.body)
				}
			}
			for _, value := range test.bad {
				a := h.post(endpoint, `{"`+test.field+`":`+value+beside+`}`)
				if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, test.field+" ") {
					t.Errorf("%s, %s %.80s: got %d %s, want 400 that names the field", endpoint, test.field, value,
						a.status, a.body)
				}
			}
		}
		for _, endpoint := range []string{"attempts", "redeliver"} {
			if !strings.HasSuffix(test.field, "_id") {
				continue
			}
			for _, value := range append([]string{`null`, `""`}, test.bad...) {
				a := h.post(endpoint, body(endpoint, test.field, value))
				if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, test.field+" ") {
					t.Errorf("%s, %s %.80s: got %d %s, want 400 that names the field", endpoint, test.field, value,
						a.status, a.body)
				}
			}
		}
	}
}

// When the host declares its event types, others are refused and the known ones named.
func TestDeclaredTypes(t *testing.T) {
	h := newHost(t,
		config{types: &dispatcher.Options{EventTypes: []events.Type{{Name: "order.paid"},
			{Name: "order.sent"}}}})
	h.must("subscribe", `{"id":"`+id1+
		`","url":"https://e.example/","events":["order.paid","order.*"]}`)
	for _, endpoint := range []string{"subscribe", "update"} {
		a := h.post(endpoint, `{"id":"`+id1+`","url":"https://e.example/","events":["order.payed"]}`)
		text := message(t, a)
		if a.status != 400 || !strings.Contains(text, "order.paid") ||
			!strings.Contains(text, "order.sent") || !strings.HasPrefix(text, "events ") {
			t.Errorf("%s: got %d %s, want 400 that names the known types", endpoint, a.status, a.body)
		}
	}
}
