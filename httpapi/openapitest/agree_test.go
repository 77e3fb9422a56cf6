package openapitest_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

// values are what a field may and may not be. Those in beyond are refused for a reason that a
// description can't say, such as what an address is for.
type values struct {
	endpoint, field, beside string // beside: more fields of the body
	taken, refused, beyond  []any
}

func key(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }

func header(name, value string) map[string]any { return map[string]any{name: value} }

var fieldValues = []values{{
	endpoint: "subscribe", field: "url",
	taken: []any{"https://example.com", "http://example.com/",
		"HTTPS://Example.com:8443/a%2fb?q=%20+&&=",
		"https://example.com?q=1", "https://bücher.example/grüße?q=1",
		"https://[2606:4700::1111]:8080/",
		"http://my_app.example.com/@me",
		"https://example.com/{id}|\"<>^`", "hTTp://example.com/?a=/b?c@d",
		"https://example.com/" + strings.Repeat("x", 2028)},
	refused: []any{nil, "", 1, "example.com", "//example.com/", "ftp://example.com/", "http:///x",
		"http:example.com",
		"http://user@example.com/", "http://user:pass@example.com/", "https://example.com/#a",
		"https://example.com/?q#", " https://example.com/", "https://example.com/a b",
		"https://example.com/\n",
		"https://example.com\\@other.example/", "https://example.com/\\", "https://example.com/?q=ü",
		"https://example.com/\u007f", "https://example.com/" + strings.Repeat("x", 2029)},
	beyond: []any{"http://10.0.0.1/", "http://localhost/", "http://example.com:22/",
		"http://example.com:/",
		"http://example.com/%zz", "http://0x7f.1/", "http://a..b/",
		"https://example.com/" + strings.Repeat("ü", 1020)}, // of bytes there are too many
}, {
	endpoint: "subscribe", field: "id", beside: `"url":"https://example.com/"`,
	taken: []any{nil, "", "3e639566-29fa-450d-a59f-ae3c25d7260f",
		"3E639566-29FA-450D-A59F-AE3C25D7260F",
		"00000000-0000-0000-0000-000000000000"},
	refused: []any{"3e639566", "3e63956629fa450da59fae3c25d7260f",
		"{3e639566-29fa-450d-a59f-ae3c25d7260f}",
		"urn:uuid:3e639566-29fa-450d-a59f-ae3c25d7260f", "3e639566-29fa-450d-a59f-ae3c25d7260g", 7},
}, {
	endpoint: "info", field: "id",
	taken:   []any{"3e639566-29fa-450d-a59f-ae3c25d7260f", "3E639566-29FA-450D-A59F-AE3C25D7260F"},
	refused: []any{nil, "", "3e639566", "3e63956629fa450da59fae3c25d7260f", true},
}, {
	endpoint: "subscribe", field: "signature_key", beside: `"url":"https://example.com/"`,
	taken: []any{nil, "", "a key that is long enough, whatever it is",
		"schlüssel-🔑-schlüssel-🔑-schlüssel",
		strings.Repeat("k", 512), key(24), key(25), key(26), key(27), key(32), key(61), key(62),
		key(63), key(64),
		"Whsec_of-another-kind-of-key-than-the-standard"},
	refused: []any{1, "whsec_", "whsec_abc", key(23), key(65), key(66), key(67), key(32) + "=",
		strings.TrimRight(key(32), "="), strings.Replace(key(24), "A", "-", 1), key(24) + "\n",
		"[redacted]", strings.Repeat("k", 513)},
	beyond: []any{strings.Repeat("ü", 257), "short"}, // how short is for the host to say
}, {
	endpoint: "subscribe", field: "headers", beside: `"url":"https://example.com/"`,
	taken: []any{nil, map[string]any{}, header("X-Team", "crm"), header("x-team", ""),
		header("!#$%&'*+.^_`|~", "a"),
		header("X-A", "a\tb  c"), header("X-A", "grüße"), header("Hosts", "a"), header("X-Host", "a"),
		header("Dates", "a"), header("Secs", "a"), header("User-Agent", "a"),
		header("Authorization", "a"),
		header(strings.Repeat("x", 256), strings.Repeat("v", 4096))},
	refused: []any{[]any{}, header("", "a"), header("X A", "a"), header("X:A", "a"),
		header("Grüße", "a"),
		header("X-A", " a"), header("X-A", "a "), header("X-A", "\t"), header("X-A", "a\nb"),
		header("X-A", "a\x00"),
		header("X-A", "a\u007f"), header("Host", "a"), header("hOST", "a"),
		header("content-length", "1"),
		header("Te", "a"), header("Proxy-Authorization", "a"), header("SEC-Fetch-Mode", "a"),
		header("webhook-id", "a"),
		header("x-airy-content-signature", "a"), header("Idempotency-Key", "a"),
		header("x-idempotency-key", "a"),
		header(strings.Repeat("x", 257), "a"), header("X-A", strings.Repeat("v", 4097))},
	beyond: []any{map[string]any{"X-A": "a", "x-a": "b"}, header("X-A", strings.Repeat("ü", 2049))},
}, {
	endpoint: "subscribe", field: "events", beside: `"url":"https://example.com/"`,
	taken: []any{nil, []any{}, []any{"message.created"}, []any{"message.*"}, []any{"a-b_c.D9"}},
	refused: []any{"message.created", []any{""}, []any{"*"}, []any{"a..b"}, []any{".a"},
		[]any{"a.*.b"}, []any{1}, []any{"ä"}},
}, {
	endpoint: "subscribe", field: "name", beside: `"url":"https://example.com/"`,
	taken:   []any{nil, "", "CRM", strings.Repeat("ü", 256)},
	refused: []any{1, strings.Repeat("ü", 257)},
}, {
	endpoint: "subscribe", field: "description", beside: `"url":"https://example.com/"`,
	taken:   []any{nil, "", "for\npeople", strings.Repeat("ü", 1024)},
	refused: []any{1, "a\x00", strings.Repeat("ü", 1025)},
}, {
	endpoint: "subscribe", field: "metadata", beside: `"url":"https://example.com/"`,
	taken: []any{nil, map[string]any{}, header("a", ""), header("A.b-c_9", "größer = <5>"),
		header(strings.Repeat("k", 64), strings.Repeat("v", 512))},
	refused: []any{[]any{}, "a=b", header("", "a"), header("a b", "a"), header("ä", "a"),
		header("a", "b\n"), header("a", "\u0085"), header(strings.Repeat("k", 65), ""),
		header("a", strings.Repeat("v", 513)), map[string]any{"a": 1}},
	beyond: []any{header("a", strings.Repeat("ü", 257))}, // of bytes there are too many
}, {
	endpoint: "subscribe", field: "filter", beside: `"url":"https://example.com/"`,
	taken:   []any{nil, map[string]any{}},
	refused: []any{[]any{}, "{}", 1},
	beyond:  []any{header("a", "b")}, // the host does not offer it
}, {
	endpoint: "subscribe", field: "fields", beside: `"url":"https://example.com/"`,
	taken:   []any{nil, []any{}},
	refused: []any{"a", []any{1}, []any{""}, []any{"a..b"}, []any{"a.b.c.d.e.f.g.h.i"}},
	beyond:  []any{[]any{"a.b"}},
}, {
	endpoint: "subscribe", field: "rate", beside: `"url":"https://example.com/"`,
	taken: []any{nil, 0}, refused: []any{-1, "1", 1_000_001, []any{}}, beyond: []any{0.5},
}, {
	endpoint: "subscribe", field: "timeout_seconds", beside: `"url":"https://example.com/"`,
	taken: []any{nil, 0}, refused: []any{-1, "1", 1_000_001, []any{}}, beyond: []any{2.5},
}, {
	endpoint: "list", field: "metadata", beside: `"page_size":5`,
	taken:   []any{nil, map[string]any{}, header("a", "b")},
	refused: []any{"a=b", header("a b", ""), header("a", "\n")},
}, {
	endpoint: "deliveries", field: "tag",
	taken:   []any{nil, "", "vip", "a:1", "A_.-9", strings.Repeat("a", 64)},
	refused: []any{1, "a b", "ä", "a,b", strings.Repeat("a", 65)},
}, {
	endpoint: "deliveries", field: "since",
	taken: []any{nil, "", "2020-10-25T21:24:54.560Z", "2020-10-25T21:24:54Z",
		"2020-10-25T21:24:54.123456789+02:00",
		"2020-02-29T00:00:00-23:59", "9999-12-31T23:59:59Z"},
	refused: []any{1, "2020", "2020-10-25", "2020-10-25 21:24:54Z", "2020-10-25T21:24:54",
		"2020-10-25t21:24:54z",
		"2020-13-25T21:24:54Z", "2020-02-30T21:24:54Z", "2021-02-29T21:24:54Z", "2020-10-25T24:00:00Z",
		"2020-10-25T21:60:54Z", "2020-10-25T23:59:60Z", "2020-10-25T21:24:54,5Z", "2020-10-25T1:24:54Z",
		"2020-10-25T21:24:54+24:00", "2020-10-25T21:24:54+02:60", "2020-10-25T21:24:54+0200"},
}, {
	endpoint: "list", field: "text", beside: `"page_size":5`,
	taken:   []any{nil, "", "crm", "Bücher?", strings.Repeat("x", 2048)},
	refused: []any{1, []any{"crm"}, strings.Repeat("x", 2049)},
	beyond:  []any{strings.Repeat("ü", 1025)}, // of bytes there are too many
}, {
	endpoint: "list", field: "status", beside: `"page_size":5`,
	taken: []any{nil, "", "Subscribed", []any{}, []any{"Subscribed", "Unsubscribed"}},
	refused: []any{1, "subscribed", []any{"Subscribed", ""}, []any{nil}, map[string]any{},
		[]any{[]any{"Subscribed"}}},
}, {
	endpoint: "list", field: "event_type", beside: `"page_size":5`,
	taken:   []any{nil, "", "message.created", "Push Hook", "repo:push"},
	refused: []any{1, "message.*", "a..b", strings.Repeat("a", 129)},
}, {
	endpoint: "deliveries", field: "class",
	taken:   []any{nil, "", "timeout", "sender"},
	refused: []any{1, "Timeout", "timeout: late", []any{"timeout"}, []any{}},
}, {
	endpoint: "deliveries", field: "status",
	taken: []any{nil, "", 100, 503, 999, "503", "1xx", "9xx"},
	refused: []any{0, 99, 1000, -503, 503.5, "5XX", "5x", "50x", "0xx", "099", " 503", "503\n",
		[]any{503}, []any{}, true},
}, {
	endpoint: "deliveries", field: "key",
	taken: []any{nil, "", "order-1", "a b/ü\u00a0🔑", strings.Repeat("k", 256)},
	refused: []any{1, []any{"a"}, "a\n", "\u0000", "\u001f", "\u007f", "\u0080", "\u009f",
		strings.Repeat("k", 257)},
	beyond: []any{strings.Repeat("ü", 129)}, // of bytes there are too many
}, {
	endpoint: "figures", field: "resolution",
	taken:   []any{nil, "", "minute", "hour"},
	refused: []any{60, "day", "Hour", []any{"hour"}},
}, {
	endpoint: "figures", field: "id",
	taken:   []any{nil, "", "3e639566-29fa-450d-a59f-ae3c25d7260f"},
	refused: []any{1, "3e639566"},
}, {
	endpoint: "deliveries", field: "page_size",
	taken: []any{nil, 1, 1000}, refused: []any{0, -1, 1001, "1", 1.5},
}, {
	endpoint: "deliveries", field: "event_id",
	taken:   []any{nil, "", "018f3c1e-7a55-7000-8000-000000000001", strings.Repeat("a", 128)},
	refused: []any{"a b", "ä", strings.Repeat("a", 129), 1},
}}

// The patterns, formats and bounds of the description are those of the endpoints: whatever is fed
// to both is taken by both, or by neither.
func TestDescriptionAgrees(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	described := newDescription(t)
	for _, f := range fieldValues {
		path := "/webhooks." + f.endpoint
		check := func(value any, taken, valid bool) {
			t.Helper()
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			body := `{"` + f.field + `":` + string(text)
			if f.beside != "" {
				body += "," + f.beside
			}
			body += "}"
			w := httptest.NewRecorder()
			h.ServeHTTP(w, newRequest(http.MethodPost, path, []byte(body)))
			if is := w.Code != http.StatusBadRequest; is != taken { // 404 is about the webhook
				t.Errorf("%s %.200s: got %d %s, want taken: %v", path, body, w.Code, w.Body, taken)
			}
			err = described.checkRequest(newRequest(http.MethodPost, path, []byte(body)),
				described.doc.Paths.Value(path))
			if (err == nil) != valid {
				t.Errorf("%s %.200s: described as %v, want valid: %v", path, body, err, valid)
			}
		}
		for _, v := range f.taken {
			check(v, true, true)
		}
		for _, v := range f.refused {
			check(v, false, false)
		}
		for _, v := range f.beyond {
			check(v, false, true)
		}
	}
}
