package filter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/outhook/outhook/events/filter"
)

// decoded is JSON as encoding/json has it, with numbers as they are written.
func decoded(t testing.TB, text string) (v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// takes is the language once more: slow, and as the package comment says it.
func takes(f map[string]any, payload any) bool {
	for name, v := range f {
		holds := true
		switch name {
		case "$and", "$or":
			holds = name == "$and"
			for _, sub := range v.([]any) {
				if takes(sub.(map[string]any), payload) != holds {
					holds = !holds
					break
				}
			}
		case "$not":
			holds = !takes(v.(map[string]any), payload)
		default:
			holds = asked(v, reached(payload, names(name)))
		}
		if !holds {
			return false
		}
	}
	return true
}

// names takes a path apart.
func names(path string) []string {
	path = strings.NewReplacer(`\\`, "\x01", `\.`, "\x02", `\$`, "\x03").Replace(path)
	all := strings.Split(path, ".")
	for i := range all {
		all[i] = strings.NewReplacer("\x01", `\`, "\x02", ".", "\x03", "$").Replace(all[i])
	}
	return all
}

// elements returns the elements of an array, or the value itself.
func elements(v any) []any {
	if list, is := v.([]any); is {
		return list
	}
	return []any{v}
}

// reached returns the members that a path leads to.
func reached(v any, path []string) (out []any) {
	for _, one := range elements(v) {
		object, _ := one.(map[string]any)
		member, there := object[path[0]]
		switch {
		case !there:
		case len(path) == 1:
			out = append(out, member)
		default:
			out = append(out, reached(member, path[1:])...)
		}
	}
	return out
}

// asked reports whether what is asked of a value holds for one of those that were reached.
func asked(ask any, values []any) bool {
	operators, is := ask.(map[string]any)
	if !is {
		operators = map[string]any{"$eq": ask}
	}
	for name, with := range operators {
		if !operates(name, with, values) {
			return false
		}
	}
	return true
}

func operates(name string, with any, values []any) bool {
	switch name {
	case "$not":
		return !asked(with, values)
	case "$ne":
		return !operates("$eq", with, values)
	case "$nin":
		return !operates("$in", with, values)
	case "$exists":
		return with.(bool) == (len(values) > 0)
	case "$in":
		for _, w := range with.([]any) {
			if operates("$eq", w, values) {
				return true
			}
		}
		return false
	}
	for _, v := range values {
		for _, one := range elements(v) {
			if compares(name, one, with) {
				return true
			}
		}
	}
	return false
}

func compares(name string, v, with any) bool {
	order := 2 // none
	switch v := v.(type) {
	case string:
		if with, same := with.(string); same {
			if order = strings.Compare(v, with); name == "$startsWith" {
				return strings.HasPrefix(v, with)
			}
		}
	case json.Number:
		if with, same := with.(json.Number); same {
			order = rational(v).Cmp(rational(with))
		}
	case nil, bool:
		if v == with {
			order = 0
		}
	}
	switch name {
	case "$eq":
		return order == 0
	case "$gt":
		return order == 1
	case "$gte":
		return order == 1 || order == 0
	case "$lt":
		return order == -1
	case "$lte":
		return order == -1 || order == 0
	}
	return false
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("no number: " + n)
	}
	return r
}

// agree compares the package with the reference.
func agree(t *testing.T, text, payload string) {
	t.Helper()
	f, err := filter.Parse([]byte(text))
	if err != nil {
		return
	}
	want := takes(decoded(t, text).(map[string]any), decoded(t, payload))
	if got := f.Match([]byte(payload)); got != want {
		t.Errorf("filter %s\npayload %s\nMatch: %v; want %v", text, payload, got, want)
	}
}

// maker makes filters and payloads of a few names and values, so that they often meet.
type maker struct{ *rand.Rand }

func (m maker) one(of ...string) string { return of[m.IntN(len(of))] }

func (m maker) value() string {
	return m.one(`1`, `1.0`, `10e-1`, `2`, `-1`, `0`, `-0.0`, `12`, `0.12e2`, `1.25`, `1250e-3`, `"1"`,
		`"a"`, `"\u0061"`, `"ab"`, `"b"`, `"\ud83d\ude00"`, `"\ufffd"`, `"\ud83d"`, `""`, `"\"\\"`,
		`true`, `false`, `null`, `9007199254740993`, `9007199254740992`, `123456789012345678901e-3`)
}

func (m maker) name() string { return m.one(`"a"`, `"b"`, `"\u0061"`, `"c.d"`, `"$e"`) }

func (m maker) payload(depth int) string {
	var parts []string
	switch kind := m.IntN(4); {
	case depth > 0 && kind == 0:
		for range m.IntN(4) {
			parts = append(parts, m.payload(depth-1))
		}
		return "[" + strings.Join(parts, m.one(",", " , ")) + "]"
	case depth > 0 && kind < 3:
		for range m.IntN(5) {
			parts = append(parts, m.name()+m.one(":", " :\n")+m.payload(depth-1))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return m.value()
}

func (m maker) path() string {
	return m.one(`"a"`, `"b"`, `"a.b"`, `"b.a"`, `"a.a"`, `"a.b.a"`, `"c\\.d"`, `"\\$e.a"`)
}

func (m maker) operators(depth int) string {
	var parts []string
	for _, name := range m.Perm(10)[:1+m.IntN(2)] {
		switch name {
		case 0:
			parts = append(parts, `"$eq":`+m.value())
		case 1:
			parts = append(parts, `"$ne":`+m.value())
		case 2:
			parts = append(parts, `"$in":[`+m.value()+","+m.value()+","+m.value()+"]")
		case 3:
			parts = append(parts, `"$nin":[`+m.value()+","+m.value()+"]")
		case 4:
			parts = append(parts, `"$exists":`+m.one("true", "false"))
		case 5:
			if depth > 0 {
				parts = append(parts, `"$not":`+m.operators(depth-1))
			}
		case 6:
			parts = append(parts, `"$startsWith":`+m.one(`"a"`, `""`, `"\ud83d\ude00"`))
		case 7:
			parts = append(parts, `"$gt":`+m.value())
		case 8:
			parts = append(parts, `"$lt":`+m.value(), `"$gte":`+m.value())
		case 9:
			parts = append(parts, `"$lte":`+m.value())
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (m maker) filter(depth int) string {
	var parts []string
	for range 1 + m.IntN(2) {
		switch kind := m.IntN(5); {
		case depth > 0 && kind == 0:
			parts = append(parts, m.one(`"$and"`, `"$or"`)+":["+m.filter(depth-1)+","+
				m.filter(depth-1)+"]")
		case depth > 0 && kind == 1:
			parts = append(parts, `"$not":`+m.filter(depth-1))
		case kind == 2:
			parts = append(parts, m.path()+":"+m.value())
		default:
			parts = append(parts, m.path()+":"+m.operators(1))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestReference compares Match with the reference on random filters and payloads.
func TestReference(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	parsed, matched := 0, 0
	for range 15_000 {
		text, payload := m.filter(2), m.payload(4)
		if f, err := filter.Parse([]byte(text)); err == nil {
			parsed++
			if f.Match([]byte(payload)) {
				matched++
			}
		}
		agree(t, text, payload)
		if t.Failed() {
			return
		}
	}
	// Or else the test would say little.
	if parsed < 5_000 || matched < parsed/10 || matched > parsed*9/10 {
		t.Errorf("%d filters are valid, and %d of them match", parsed, matched)
	}
}

// FuzzMatch compares Match with the reference.
func FuzzMatch(f *testing.F) {
	f.Add(`{"a":1}`, `{"a":1}`)
	f.Add(usual, string(usualPayload()))
	m := maker{rand.New(rand.NewPCG(3, 4))}
	for range 50 {
		f.Add(m.filter(2), m.payload(3))
	}
	f.Fuzz(func(t *testing.T, text, payload string) {
		parsed, err := filter.Parse([]byte(text))
		if err != nil {
			return
		}
		valid := utf8.ValidString(payload) && json.Valid([]byte(payload))
		// What is no JSON must not make it panic. The reference takes no large exponents.
		if !valid || largeExponent(text) || largeExponent(payload) {
			parsed.Match([]byte(payload))
			return
		}
		agree(t, text, payload)
	})
}

// largeExponent reports whether a text may have a number with an exponent of more than three
// digits.
func largeExponent(text string) bool {
	for i := range len(text) {
		if text[i]|0x20 != 'e' {
			continue
		}
		digits := strings.TrimLeft(strings.TrimLeft(text[i+1:], "+-"), "0")
		n := 0
		for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
			n++
		}
		if n > 3 {
			return true
		}
	}
	return false
}

// reduced is what Fields makes of a value, by encoding/json.
func reduced(t testing.TB, raw json.RawMessage, paths [][]string) json.RawMessage {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	first, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	switch first {
	case json.Delim('['):
		for dec.More() {
			var one json.RawMessage
			if err := dec.Decode(&one); err != nil {
				t.Fatal(err)
			}
			if one[0] == '{' {
				parts = append(parts, string(reduced(t, one, paths)))
			}
		}
		return json.RawMessage("[" + strings.Join(parts, ",") + "]")
	case json.Delim('{'):
		for dec.More() {
			name, err := dec.Token()
			var one json.RawMessage
			if err == nil {
				err = dec.Decode(&one)
			}
			if err != nil {
				t.Fatal(err)
			}
			var further [][]string
			whole := false
			for _, path := range paths {
				switch {
				case path[0] != name.(string):
				case len(path) == 1:
					whole = true
				default:
					further = append(further, path[1:])
				}
			}
			switch {
			case whole:
			case len(further) > 0 && (one[0] == '{' || one[0] == '['):
				one = reduced(t, one, further)
			default:
				continue
			}
			spelled, _ := json.Marshal(name)
			parts = append(parts, string(spelled)+":"+string(one))
		}
		return json.RawMessage("{" + strings.Join(parts, ",") + "}")
	}
	return json.RawMessage("null")
}

// tokens reads all tokens of a text.
func tokens(t testing.TB, text []byte) (all []json.Token) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		one, err := dec.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, one)
	}
}

// agreeFields compares Fields with the reference.
func agreeFields(t *testing.T, paths []string, payload string) {
	t.Helper()
	f, err := filter.ParseFields(paths)
	if err != nil {
		return
	}
	got, ok := f.Append([]byte("before"), []byte(payload))
	if !ok || !bytes.HasPrefix(got, []byte("before")) {
		t.Fatalf("Append of %s: %s, %v", payload, got, ok)
	}
	got = got[len("before"):]
	var split [][]string
	for _, path := range paths {
		split = append(split, names(path))
	}
	want := reduced(t, json.RawMessage(payload), split)
	if !json.Valid(got) || !reflect.DeepEqual(tokens(t, got), tokens(t, want)) {
		t.Errorf("fields %q of %s\nare %s\nwant %s", paths, payload, got, want)
	}
}

func TestFieldsReference(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(5, 6))}
	for range 10_000 {
		var paths []string
		for range 1 + m.IntN(3) {
			paths = append(paths, m.one("a", "b", "a.b", "b.a", "a.a", "a.b.a", `c\.d`, `\$e.a`))
		}
		agreeFields(t, paths, m.payload(4))
		if t.Failed() {
			return
		}
	}
}

// FuzzFields compares Append with the reference.
func FuzzFields(f *testing.F) {
	f.Add("a,b.c", `{"a":1,"b":[{"c":2,"d":3},4]}`)
	m := maker{rand.New(rand.NewPCG(7, 8))}
	for i := range 20 {
		f.Add(fmt.Sprintf("a,b.a,a.%d", i), m.payload(3))
	}
	f.Fuzz(func(t *testing.T, paths, payload string) {
		split := strings.Split(paths, ",")
		if !utf8.ValidString(payload) || !json.Valid([]byte(payload)) {
			if fields, err := filter.ParseFields(split); err == nil {
				fields.Append(nil, []byte(payload))
			}
			return
		}
		agreeFields(t, split, strings.TrimSpace(payload))
	})
}
