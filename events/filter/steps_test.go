package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/outhook/outhook/events/filter"
)

// TestMatchTakesFewSteps counts the names and values that a match looks at: those on the way to its
// paths, each once, however many conditions there are, and nothing of what is beside the way but
// that it is there.
func TestMatchTakesFewSteps(t *testing.T) {
	members := func(name string, n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%s%d":%d`, name, i, i))
		}
		return strings.Join(all, ",")
	}
	many := "{" + members("a", filter.MaxConditions) + "}"
	in := `{"a":{"$in":[` + strings.TrimSuffix(strings.Repeat("1234567,", 500), ",") + `]}}`
	nested := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	large := `{"x":"` + strings.Repeat("n", 1<<20) + `","y":{` + members("b", 10_000) + `},"a":1}`
	for _, tt := range []struct {
		name, filter, payload string
		want                  int
	}{
		// Six members of the payload and four of the order have a name and a value each, but the
		// order itself is no step beside its members.
		{"usual", usual, string(usualPayload()), 2*(6+4) - 1},
		{"one condition", `{"a0":0}`, many, 2 * filter.MaxConditions},
		{"many conditions", many, many, 2 * filter.MaxConditions},
		{"a long list", in, `{"a":1}`, 2},
		{"a large payload", `{"a":1}`, large, 3 * 2},
		{"a deep payload", `{"a":1}`, `{"b":` + nested + `,"a":` + nested + `}`, 4},
		{"a deep array", `{"a.b":1}`, `{"a":[` + nested + `,{"b":1}]}`, 1 + 1 + 2},
		{"an object at the end of a path", `{"a":1}`, `{"a":{` + members("b", 100) + `}}`, 2},
		{"no object", `{"a":1}`, nested, 1},
		{"a path that is not there", `{"a.b.c.d.e.f.g.h":1}`, `{"b":{` + members("b", 100) + `}}`, 2},
	} {
		if got := parse(t, tt.filter).Steps([]byte(tt.payload)); got != tt.want {
			t.Errorf("%s: %d steps, want %d", tt.name, got, tt.want)
		}
	}
}
