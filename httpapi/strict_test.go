package httpapi_test

import (
	"strings"
	"testing"
)

// What a body may not be, and what of it the message names.
func TestStrictJSON(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, test := range []struct {
		name, endpoint, body string
		names                []string
	}{
		{"empty", "subscribe", ``, []string{"body", "empty"}},
		{"blank", "info", " \n\t", []string{"body", "empty"}},
		{"blank list", "list", " ", []string{"body", "empty"}},
		{"cut off", "info", `{"id":"` + id1, []string{"not valid JSON", "line 1"}},
		{"no quotes", "info", "{\n\n  id:\"x\"}", []string{"not valid JSON", "byte 6", "line 3"}},
		{"single quotes", "info", `{'id':'x'}`, []string{"not valid JSON", "byte 2"}},
		{"trailing comma", "info", `{"id":"` + id1 + `",}`, []string{"not valid JSON", "byte 46"}},
		{"comment", "info", `{/**/"id":"` + id1 + `"}`, []string{"not valid JSON", "byte 2"}},
		{"trailing object", "info", `{"id":"` + id1 + `"}{}`,
			[]string{"not valid JSON", "byte 46", "after top-level value"}},
		{"trailing text", "info", `{"id":"` + id1 + `"} x`, []string{"not valid JSON", "byte 47"}},
		{"trailing NUL", "info", `{"id":"` + id1 + "\"}\x00", []string{"not valid JSON"}},
		{"byte order mark", "info", "\ufeff" + valid("info"), []string{"not valid JSON", "byte 1"}},
		{"control character", "update", `{"id":"` + id1 + "\",\"name\":\"a\nb\"}",
			[]string{"not valid JSON"}},
		{"bad number", "list", `{"page_size":01}`, []string{"not valid JSON"}},
		{"bad escape", "info", `{"id":"\x41"}`, []string{"not valid JSON"}},
		{"a list", "info", `[{"id":"` + id1 + `"}]`, []string{"body", "a list", "object"}},
		{"a string", "info", `"` + id1 + `"`, []string{"body", "a string", "object"}},
		{"null", "info", `null`, []string{"body", "null", "object"}},
		{"null list", "list", `null`, []string{"body", "null", "object"}},
		{"a number", "info", `1e999`, []string{"body", "a number", "object"}},
		{"true", "info", `true`, []string{"body", "a boolean", "object"}},

		{"invalid UTF-8", "update", `{"id":"` + id1 + "\",\n\"name\":\"\xff\"}",
			[]string{"UTF-8", "byte 55", "line 2"}},
		{"UTF-8 of a surrogate", "update", `{"id":"` + id1 + "\",\"name\":\"\xed\xa0\x80\"}",
			[]string{"UTF-8"}},
		{"overlong UTF-8", "update", `{"id":"` + id1 + "\",\"name\":\"\xc0\xaf\"}", []string{"UTF-8"}},
		{"latin-1", "update", `{"id":"` + id1 + "\",\"name\":\"gr\xfc\xdfe\"}", []string{"UTF-8"}},
		{"high surrogate alone", "update", `{"id":"` + id1 + `","name":"\ud83d"}`,
			[]string{"surrogate", "byte 54"}},
		{"low surrogate alone", "update", `{"id":"` + id1 + `","name":"\uDE00"}`, []string{"surrogate"}},
		{"surrogates the wrong way", "update", `{"id":"` + id1 + `","name":"\ude00\ud83d"}`,
			[]string{"surrogate"}},
		{"high surrogate, other escape", "update", `{"id":"` + id1 + `","name":"\ud83d\u0041"}`,
			[]string{"surrogate"}},
		{"half in a name", "update", `{"id":"` + id1 + `","headers":{"\ud83d":"x"}}`,
			[]string{"surrogate"}},

		{"twice", "info", `{"id":"` + id1 + `","id":"` + id1 + `"}`, []string{"id is given twice"}},
		{"twice, once escaped", "info", `{"id":"` + id1 + `","\u0069d":"` + id1 + `"}`,
			[]string{"id is given twice"}},
		{"twice, once null", "update", `{"id":"` + id1 + `","name":"a","name":null}`,
			[]string{"name is given twice"}},
		{"headers twice", "update", `{"id":"` + id1 + `","headers":{},"headers":{}}`,
			[]string{"headers is given twice"}},
		{"one header twice", "update", `{"id":"` + id1 + `","headers":{"X-A":"1","X-A":"1"}}`,
			[]string{"headers", "X-A twice"}},
		{"header twice in other case", "update", `{"id":"` + id1 + `","headers":{"X-A":"1","x-a":"1"}}`,
			[]string{"headers", "twice"}},
		{"unknown field twice", "info", `{"id":"` + id1 + `","x":1,"x":1}`, []string{"x is given twice"}},
		{"twice deep down", "subscribe", `{"url":"https://e.example/","status":[{"a":{"b":1,"b":2}}]}`,
			[]string{"status has b twice"}},
		{"both spellings", "update", `{"id":"` + id1 + `","signature_key":"a","signatureKey":"a"}`,
			[]string{"signature_key", "twice"}},
		{"both spellings, one null", "update",
			`{"id":"` + id1 + `","signature_key":null,"signatureKey":"a"}`,
			[]string{"signature_key", "twice"}},

		{"unknown field", "subscribe", `{"url":"https://e.example/","signatur_key":"x"}`,
			[]string{"signatur_key", "signature_key, rate"}},
		{"other case", "subscribe", `{"URL":"https://e.example/"}`, []string{"URL is not a field"}},
		{"other case of id", "info", `{"ID":"` + id1 + `"}`, []string{"ID is not a field", "takes id"}},
		{"unknown null", "info", `{"id":"` + id1 + `","x":null}`, []string{"x is not a field"}},
		{"empty name", "info", `{"id":"` + id1 + `","":1}`, []string{`"" is not a field`}},
		{"long name", "info", `{"id":"` + id1 + `","` + strings.Repeat("ü", 10_000) + `":1}`,
			[]string{"üüü…", "is not a field"}},
		{"odd name", "info", `{"id":"` + id1 + `","a\n<b>":1}`, []string{`"a\n<b>" is not a field`}},
		{"name in update only", "info", `{"id":"` + id1 + `","name":"x"}`,
			[]string{"name is not a field"}},
		{"status in unsubscribe", "unsubscribe", `{"id":"` + id1 + `","status":"Unsubscribed"}`,
			[]string{"status is not a field"}},
		{"url in info", "info", `{"id":"` + id1 + `","url":"https://e.example/"}`,
			[]string{"url is not a field"}},
		{"id in list", "list", `{"id":"` + id1 + `"}`,
			[]string{"id is not a field", "cursor, page_size"}},
		{"dry_run in deliveries", "deliveries", `{"dry_run":true}`,
			[]string{"dry_run is not a field", "cursor, page_size, count"}},
		{"count in replay", "replay", `{"count":true}`,
			[]string{"count is not a field", "until, dry_run, cursor, page_size"}},
		{"anything in events", "events", `{"name":"x"}`, []string{"name is not a field", "takes none"}},
		{"states", "deliveries", `{"states":["dead"]}`, []string{"states is not a field", "state"}},
		{"page_size in info", "info", `{"id":"` + id1 + `","page_size":1}`,
			[]string{"page_size is not a field"}},

		{"deep", "update", `{"id":"` + id1 + `","events":` + deep(9_000) + `}`, []string{"nested"}},
		{"as deep as may be", "update", `{"id":"` + id1 + `","events":` + deep(10_000-1) + `}`,
			[]string{"nested"}},
		{"one deeper", "update", `{"id":"` + id1 + `","events":` + deep(10_000) + `}`, []string{"depth"}},
		{"too deep for encoding/json", "update", `{"id":"` + id1 + `","events":` + deep(20_000) + `}`,
			[]string{"depth"}},
		{"deep and open", "update", strings.Repeat(`{"a":[`, 20_000), []string{"JSON"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.t = t
			a := h.post(test.endpoint, test.body)
			text := message(t, a)
			if a.status != 400 {
				t.Errorf("got %d, want 400", a.status)
			}
			for _, want := range test.names {
				if !strings.Contains(text, want) {
					t.Errorf("got %q, want it to name %q", text, want)
				}
			}
			if len(text) > 400 {
				t.Errorf("a message of %d bytes", len(text))
			}
		})
	}
	h.t = t
	if got := h.post("list", "").body; got != `{"data":[`+exampleResponse+`]}` {
		t.Errorf("after all that: got %s, want what was subscribed", got)
	}
}

// What encoding/json is not needed for, and what must be taken as it stands.
func TestLenientWhereJSONIs(t *testing.T) {
	h := newHost(t, config{})
	for _, test := range []struct{ name, body, want string }{
		{"blanks", " \r\n\t{ \"url\" : \"https://e.example/\" , \"name\" : \"x\" } \n", "x"},
		{"escapes", `{"\u0075rl":"https:\/\/e.example\/","name":"\"\\\/\u00fc\n"}`, "\"\\/ü\n"},
		{"a pair of escapes", `{"url":"https://e.example/","name":"\ud83d\uDE00!"}`, "😀!"},
		{"two pairs", `{"url":"https://e.example/","name":"\ud83d\ude00\ud83d\ude00"}`, "😀😀"},
		{"a backslash before u", `{"url":"https://e.example/","name":"\\ud83d"}`, `\ud83d`},
		{"a replacement character", `{"url":"https://e.example/","name":"\ufffd` + "\ufffd" + `"}`,
			"\ufffd\ufffd"},
		{"markup", `{"url":"https://e.example/","name":"<b>&\u2028"}`, "<b>&\u2028"},
		{"a NUL", `{"url":"https://e.example/","name":"a\u0000b"}`, "a\x00b"},
	} {
		if got := h.must("subscribe", test.body).Name; got == nil || *got != test.want {
			t.Errorf("%s: got name %v, want %q", test.name, got, test.want)
		}
	}
}
