package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
)

func TestFields(t *testing.T) {
	for _, tc := range []struct {
		name, paths, payload, want string
	}{
		{"a member", "a", `{"a":1,"b":2}`, `{"a":1}`},
		{"in the order of the payload", "b,a", `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{"spelling stays", "a,é",
			`{"\u0061" : 1.50e+2,"é":"\u00e9\/<"}`, `{"\u0061":1.50e+2,"é":"\u00e9\/<"}`},
		{"a value as it is", "a", `{"a":{"x": [1, {}]},"b":2}`, `{"a":{"x": [1, {}]}}`},
		{"a path", "a.b,c", `{"a":{"b":1,"x":2},"c":{"y":3}}`, `{"a":{"b":1},"c":{"y":3}}`},
		{"objects on the way stay", "a.b", `{"a":{"x":2}}`, `{"a":{}}`},
		{"others on the way go", "a.b", `{"a":"b"}`, `{}`},
		{"arrays", "a.b", `{"a":[{"b":1,"x":2},{"x":3},4,[{"b":5}]]}`, `{"a":[{"b":1},{}]}`},
		{"an array as a whole", "a", `{"a":[1,[2]]}`, `{"a":[1,[2]]}`},
		{"the shorter path wins", "a.b,a", `{"a":{"b":1,"x":2}}`, `{"a":{"b":1,"x":2}}`},
		{"an array of objects", "a", `[{"a":1,"b":2},3]`, `[{"a":1}]`},
		{"nothing there", "z", `{"a":1}`, `{}`},
		{"neither object nor array", "a", `"a"`, `null`},
		{"a member twice", "a", `{"a":1,"a":2}`, `{"a":1,"a":2}`},
		{"a name with a dot", `a\.b`, `{"a.b":1,"a":{"b":2}}`, `{"a.b":1}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := filter.ParseFields(strings.Split(tc.paths, ","))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := f.Append(nil, []byte(tc.payload))
			if !ok || string(got) != tc.want {
				t.Errorf("%s of %s: %s, %v; want %s", tc.paths, tc.payload, got, ok, tc.want)
			}
		})
	}
}

func TestFieldsOfNoJSON(t *testing.T) {
	f, err := filter.ParseFields([]string{"a.b"})
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		``, `{`, `{"a"`, `{"a":`, `{"a":{`, `{"a":{"b":`, `{"a":[`, `{"a":[{]`,
		`{"x":"`, `{} x`, `{"a":{}}}`,
	} {
		if got, ok := f.Append(nil, []byte(payload)); ok {
			t.Errorf("Append(%q) is %q; want none", payload, got)
		}
	}
}

func TestFieldsErrors(t *testing.T) {
	for _, tc := range []struct {
		name  string
		paths []string
		want  string
	}{
		{"none", nil, "has no path"},
		{"too many", make([]string, filter.MaxFields+1), "has 65 paths; give at most 64"},
		{"empty", []string{"a", ""}, "has a path with an empty step; write names with single dots " +
			"between them (path 2)"},
		{"a dollar", []string{"$a"}, "begins with a dollar"},
		{"too deep", []string{"a.b.c.d.e.f.g.h.i"}, "has a path of 9 steps"},
		{"too long", []string{strings.Repeat("x", 4000), strings.Repeat("y", 97)},
			"more than 4096 bytes"},
		{"a NUL", []string{"a\x00b"}, "has a path with a NUL character"},
		{"invalid UTF-8", []string{"\xff"}, "not valid UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := filter.ParseFields(tc.paths)
			var invalid *events.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != "fields" ||
				!strings.Contains(invalid.Reason, tc.want) {
				t.Errorf("ParseFields: %v; want an InvalidError of fields with %q", err, tc.want)
			}
		})
	}
}
