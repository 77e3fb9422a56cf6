package text_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/outhook/outhook/httpapi/console/internal/text"
)

func TestLine(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain <b> & ünïcode 漢字 🎉", "plain <b> & ünïcode 漢字 🎉"},
		{"a\u202eb", `a\u202eb`},
		{"a\u200bb\u200d", `a\u200bb\u200d`},
		{"\ufeff", `\ufeff`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x00\x7f", `\u0000\u007f`},
		{"a\xffb", `a\xffb`},
		{"\xe2\x80", `\xe2\x80`},
		{"\U000e0041", `\U000e0041`},
		{"\u3164", `\u3164`},
		{"a\u00a0b", `a\u00a0b`},
		{"\u2028", `\u2028`},
		{"\ufffd", "\ufffd"}, // the character itself is no mistake
		{"\U000e0101", `\U000e0101`},
		{"\ufe00\ufe0f\u180f", `\ufe00\ufe0f\u180f`},
		{"\U00016fe4\U0001107f", `\U00016fe4\U0001107f`},
		{"\u034f\u1160\u17b5\u2800\uffa0", `\u034f\u1160\u17b5\u2800\uffa0`},
	} {
		if got := text.Line(test.in); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
	if got, want := text.Block("a\n\tb\r\u202e"), "a\n\tb\\r\\u202e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBody(t *testing.T) {
	for _, test := range []struct {
		in, want string
		max      int
		cut      bool
	}{
		{`{"b":1.10,"a":12345678901234567890,"b":1e400}`,
			"{\n  \"b\": 1.10,\n  \"a\": 12345678901234567890,\n  \"b\": 1e400\n}", 999, false},
		{`[ ]`, "[]", 999, false},
		{`{"a" : { } , "b":[1 ,2]}`, "{\n  \"a\": {},\n  \"b\": [\n    1,\n    2\n  ]\n}", 999, false},
		{`"a{[,:\"\\"`, `"a{[,:\"\\"`, 999, false},
		{`{"a":"\u202e"}`, "{\n  \"a\": \"\\u202e\"\n}", 999, false},
		{"{\"a\":\"\u202e\"}", "{\n  \"a\": \"\\u202e\"\n}", 999, false},
		{"no <json>\n\x00", "no <json>\n\\u0000", 999, false},
		{"no json ünïcode", "no json ", 9, true},
		{`[1,2,3,4,5,6]`, "[\n  1,\n  2,\n", 12, true},
		{`"` + strings.Repeat("ä", 20) + `"`, `"ääää`, 10, true},
		{"", "", 9, false},
	} {
		got, cut := text.Body([]byte(test.in), test.max)
		if got != test.want && !strings.HasPrefix(got, test.want) || cut != test.cut ||
			!test.cut && got != test.want {
			t.Errorf("%q: got %q, %v; want %q, %v", test.in, got, cut, test.want, test.cut)
		}
	}
}

// A body of brackets alone is not shown with the square of its length.
func TestBodyIsBounded(t *testing.T) {
	deep := []byte(strings.Repeat("[", 9000) + strings.Repeat("]", 9000))
	got, cut := text.Body(deep, 64<<10)
	if len(got) > 64<<10+64 || !cut {
		t.Errorf("got %d bytes, %v", len(got), cut)
	}
}

// What is shown of JSON is the same JSON, and nothing in it is hidden.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.50,{}],"b":"\u00e9\"x"}`, `[[],[[]]]`, "\"\u202e\"",
		"no", "\xff", `{"":{"":null}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, cut := text.Body(src, 1<<20)
		for _, c := range got {
			if !unicode.IsPrint(c) && c != '\n' && c != '\t' {
				t.Fatalf("%q: has %U", got, c)
			}
		}
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if cut || !json.Valid(src) {
			return
		}
		var before, after bytes.Buffer
		if err := json.Compact(&before, src); err != nil {
			t.Fatal(err)
		}
		if text.Block(before.String()) != before.String() {
			return // escapes are no JSON
		}
		if err := json.Compact(&after, []byte(got)); err != nil ||
			before.String() != after.String() {
			t.Fatalf("got %s, %v, want %s", &after, err, &before)
		}
	})
}
