package ask_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/ask"
)

// FuzzParse compares what is taken with what encoding/json makes of the same bytes. It must be the
// same, and what encoding/json would change silently must not be taken.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		`{}`, ` {"a":1} `, `{"a":[1.0,1e2,{"b":null}],"c":"\ud83d\ude00"}`, `{"a":1,"a":1}`,
		`{"a":{"b":1,"b":2}}`, `{"a":"\ud83d"}`, `{"a":"\\ud83d"}`, `{"a":"\udc00\ud83d"}`, `[]`, `1`, ``,
		`{"a":1}{}`, "{\"a\":\"\xff\"}", `{"a":"` + "\ufffd" + `"}`, strings.Repeat(`{"a":`, 17) + "1",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := ask.Parse(body)
		if err != nil {
			if invalid := (*events.InvalidError)(nil); !errors.As(err, &invalid) {
				t.Errorf("%q: got %v, want an *events.InvalidError", body, err)
			}
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		var want map[string]any
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v as encoding/json has it (%v)", body, got, want, err)
		}
		if n := count(got); n != strings.Count(string(body), ":")-colonsInStrings(body) {
			t.Errorf("%q: got %d members, fewer than the body has", body, n)
		}
	})
}

// count returns how many members all objects in v have.
func count(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += count(item)
		}
	case map[string]any:
		n = len(v)
		for _, item := range v {
			n += count(item)
		}
	}
	return n
}

// colonsInStrings counts the colons that stand in strings of valid JSON.
func colonsInStrings(body []byte) (n int) {
	inside := false
	for i := 0; i < len(body); i++ {
		switch {
		case inside && body[i] == '\\':
			i++
		case body[i] == '"':
			inside = !inside
		case inside && body[i] == ':':
			n++
		}
	}
	return n
}

func TestParseSaysWhere(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"", "body is empty; send a JSON object"},
		{"{\n\"a\":}", "body is not valid JSON: invalid character '}' looking for beginning of value " +
			"at byte 7, line 2"},
		{`{"a":1`, "body is not valid JSON: unexpected end of JSON input at byte 6, line 1"},
		{"{\"a\":\"\xff\"}", "body is not valid UTF-8 at byte 7, line 1; encode it as UTF-8"},
		{`{"a":"x\ud83dx"}`, "body has half of a surrogate pair at byte 8, line 1; write both halves, " +
			`\ud83d\ude00, or the character itself`},
		{`[1]`, "body is a list; send one JSON object"},
		{`{"a":1,"a":2}`, "a is given twice; give it once"},
		{`{"a":{"b c":1,"b c":2}}`, `a has "b c" twice; give it once`},
		{`{"` + strings.Repeat("x", 99) + `\u001b":1,"` + strings.Repeat("x", 99) + `\u001b":1}`,
			`"` + strings.Repeat("x", 64) + `…" is given twice; give it once`},
		{`{"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`,
			"body is nested more than 16 deep; send the fields as documented"},
	} {
		if _, err := ask.Parse([]byte(test.body)); err == nil || err.Error() != test.want {
			t.Errorf("%q: got %v, want %s", test.body, err, test.want)
		}
	}
}
