package filter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
)

// parse returns a filter that is valid.
func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return f
}

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		name, filter string
		yes, no      []string
	}{
		{"nothing asked", `{}`, []string{`{}`, `null`, `[]`, `"x"`, `1`}, nil},
		{"a string", `{"a":"x"}`,
			[]string{`{"a":"x"}`, `{ "b" : 1 , "a" : "x" }`, `{"\u0061":"\u0078"}`},
			[]string{`{"a":"X"}`, `{"a":"x "}`, `{"a":["y"]}`, `{"b":"x"}`, `{"a":{"x":"x"}}`, `"x"`}},
		{"a number", `{"a":1}`,
			[]string{`{"a":1}`, `{"a":1.0}`, `{"a":1e0}`, `{"a":0.1e+1}`, `{"a":10E-1}`, `{"a":100e-2}`},
			[]string{`{"a":"1"}`, `{"a":true}`, `{"a":-1}`, `{"a":10}`, `{"a":1.0000000000000000001}`}},
		{"zero", `{"a":0}`, []string{`{"a":-0}`, `{"a":0.00e7}`, `{"a":-0.0}`}, []string{`{"a":1e-400}`}},
		{"zero with an exponent", `{"a":-0e99999999999}`, []string{`{"a":0}`}, []string{`{"a":1}`}},
		{"beyond 2^53", `{"a":9007199254740993}`,
			[]string{`{"a":9007199254740993}`, `{"a":9007199254740993.0}`, `{"a":9.007199254740993e15}`},
			[]string{`{"a":9007199254740992}`, `{"a":9007199254740994}`, `{"a":9.007199254740992e15}`}},
		{"beyond any float", `{"a":{"$gt":1e400}}`,
			[]string{`{"a":2e400}`, `{"a":1e99999999999999999999}`, `{"a":10e400}`},
			[]string{`{"a":1e400}`, `{"a":9e399}`, `{"a":-2e400}`, `{"a":1e-99999999999999999999}`}},
		{"true", `{"a":true}`, []string{`{"a":true}`, `{"a":[false,true]}`},
			[]string{`{"a":false}`, `{"a":1}`, `{"a":"true"}`, `{"a":null}`}},
		{"null", `{"a":null}`, []string{`{"a":null}`, `{"a":[1,null]}`},
			[]string{`{}`, `{"a":0}`, `{"a":false}`, `{"a":""}`, `{"a":[]}`}},
		{"$ne", `{"a":{"$ne":1}}`,
			[]string{`{}`, `{"a":2}`, `{"a":"1"}`, `{"a":[2,3]}`, `{"a":[]}`, `{"a":null}`, `7`},
			[]string{`{"a":1}`, `{"a":[2,1.0]}`}},
		{"$ne null", `{"a":{"$ne":null}}`, []string{`{}`, `{"a":0}`}, []string{`{"a":null}`}},
		{"$in", `{"a":{"$in":["x",2,null,false,"é"]}}`,
			[]string{`{"a":"x"}`, `{"a":2}`, `{"a":null}`, `{"a":false}`, `{"a":"\u00e9"}`,
				`{"a":["q","x"]}`},
			[]string{`{"a":"2"}`, `{"a":true}`, `{"a":3}`, `{"a":"e\u0301"}`, `{}`}},
		{"$in of many", `{"a":{"$in":[9,7,5,3,1,"i","g","e","c","a"]}}`,
			[]string{`{"a":1}`, `{"a":3}`, `{"a":5}`, `{"a":7}`, `{"a":9}`, `{"a":"a"}`, `{"a":"c"}`,
				`{"a":"e"}`, `{"a":"g"}`, `{"a":"i"}`},
			[]string{`{"a":0}`, `{"a":2}`, `{"a":8}`, `{"a":10}`, `{"a":""}`, `{"a":"b"}`, `{"a":"j"}`}},
		{"$nin", `{"a":{"$nin":["x",2]}}`, []string{`{}`, `{"a":"y"}`, `{"a":["y"]}`},
			[]string{`{"a":"x"}`, `{"a":["y",2]}`}},
		{"$gt", `{"a":{"$gt":10}}`, []string{`{"a":10.5}`, `{"a":11}`, `{"a":[1,11]}`, `{"a":1e2}`},
			[]string{`{"a":10}`, `{"a":9}`, `{"a":-11}`, `{"a":"11"}`, `{"a":null}`, `{}`}},
		{"$gte", `{"a":{"$gte":-10}}`, []string{`{"a":-10}`, `{"a":-9.9}`, `{"a":0}`, `{"a":1}`},
			[]string{`{"a":-10.1}`, `{"a":-100}`}},
		{"$lt", `{"a":{"$lt":0.5}}`, []string{`{"a":0.49}`, `{"a":0}`, `{"a":-3}`, `{"a":5e-2}`},
			[]string{`{"a":0.5}`, `{"a":0.51}`, `{"a":5}`, `{"a":"0"}`}},
		{"$lte", `{"a":{"$lte":0}}`, []string{`{"a":0}`, `{"a":-0.1}`}, []string{`{"a":0.1}`}},
		{"strings in order", `{"a":{"$gte":"b","$lt":"d"}}`,
			[]string{`{"a":"b"}`, `{"a":"c\u00e9"}`, `{"a":"czz"}`},
			[]string{`{"a":"a"}`, `{"a":"d"}`, `{"a":"B"}`, `{"a":3}`}},
		// In UTF-16 a character beyond U+FFFF comes before U+FFFD.
		{"by code point", `{"a":{"$gt":"\ufffd"}}`,
			[]string{`{"a":"\ud83d\ude00"}`, `{"a":"😀"}`}, []string{`{"a":"\uffee"}`}},
		{"$startsWith", `{"a":{"$startsWith":"or/"}}`,
			[]string{`{"a":"or/1"}`, `{"a":"or/"}`, `{"a":"or\/1"}`, `{"a":["x","or/2"]}`},
			[]string{`{"a":"or"}`, `{"a":"Or/1"}`, `{"a":"xor/1"}`, `{"a":1}`}},
		{"$exists", `{"a.b":{"$exists":true}}`,
			[]string{`{"a":{"b":1}}`, `{"a":{"b":null}}`, `{"a":{"b":[]}}`, `{"a":{"b":{}}}`,
				`{"a":[{"c":1},{"b":{"x":1}}]}`},
			[]string{`{"a":{}}`, `{"a":1}`, `{"a":[]}`, `{"a":[[{"b":1}]]}`, `{"b":1}`, `{}`}},
		{"not $exists", `{"a.b":{"$exists":false}}`, []string{`{"a":{}}`, `{}`, `[]`},
			[]string{`{"a":{"b":null}}`}},
		{"through arrays", `{"items.sku":"x"}`,
			[]string{`{"items":[{"sku":"y"},{"sku":"x"}]}`, `[{"items":{"sku":["x"]}}]`},
			[]string{`{"items":[["x"]]}`, `{"items":[[{"sku":"x"}]]}`, `{"items":"x"}`, `{"sku":"x"}`}},
		{"an array in an array", `{"a":1}`, []string{`{"a":[1]}`}, []string{`{"a":[[1]]}`}},
		{"the last of two members", `{"a":1,"b.c":{"$ne":3}}`,
			[]string{`{"a":2,"a":1}`, `{"a":1,"b":{"c":3},"b":4}`, `{"a":1,"b":{"c":3,"c":4}}`},
			[]string{`{"a":1,"a":2}`, `{"a":1,"b":{"c":4},"b":{"c":3}}`}},
		{"the last in one object alone", `{"a.b":1}`, []string{`{"a":[{"b":1},{"b":2,"b":3}]}`},
			[]string{`{"a":[{"b":1,"b":2}],"a":[{"b":3}]}`}},
		{"no step by number", `{"a.0":1}`, []string{`{"a":{"0":1}}`}, []string{`{"a":[1]}`}},
		{"names with dots", `{"a\\.b":1,"\\$c.\\\\":2}`, []string{`{"a.b":1,"$c":{"\\":2}}`},
			[]string{`{"a":{"b":1},"$c":{"\\":2}}`}},
		{"all of several", `{"a":1,"b":2}`, []string{`{"b":2,"a":1}`}, []string{`{"a":1}`, `{"b":2}`}},
		{"$and", `{"$and":[{"a":{"$gt":1}},{"a":{"$lt":5}}]}`, []string{`{"a":3}`, `{"a":[0,9]}`},
			[]string{`{"a":1}`, `{"a":5}`}},
		{"$or", `{"z":1,"$or":[{"a":1},{"b":{"$exists":false},"c":1}]}`,
			[]string{`{"z":1,"a":1,"b":1}`, `{"z":1,"c":1}`}, []string{`{"a":1}`, `{"z":1,"b":1,"c":1}`}},
		{"$not", `{"$not":{"a":1,"b":1}}`, []string{`{}`, `{"a":1}`, `{"b":1}`},
			[]string{`{"a":1,"b":1}`}},
		{"$not of a value", `{"a":{"$not":{"$gt":1,"$lt":5}}}`, []string{`{}`, `{"a":1}`, `{"a":5}`},
			[]string{`{"a":3}`}},
		{"$not of $not", `{"$not":{"$not":{"a":1}}}`, []string{`{"a":1}`}, []string{`{}`}},
		{"strings that look like structure", `{"a":1}`,
			[]string{`{"x":"}\\","y":"\\\"{[","a":1}`, `{"x":["]","\""],"a":1}`},
			[]string{`{"x":"\"a\":1"}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := parse(t, tc.filter)
			for _, payload := range tc.yes {
				if !f.Match([]byte(payload)) {
					t.Errorf("%s does not take %s", tc.filter, payload)
				}
			}
			for _, payload := range tc.no {
				if f.Match([]byte(payload)) {
					t.Errorf("%s takes %s", tc.filter, payload)
				}
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	nine := "a.a.a.a.a.a.a.a.a"
	many := `{"a":1`
	for i := range filter.MaxConditions {
		many += fmt.Sprintf(`,"a%d":1`, i)
	}
	many += "}"
	for _, tc := range []struct{ name, filter, want string }{
		{"no JSON", `{"a":`, "is not one JSON object: unexpected end of JSON input (byte 5)"},
		{"nothing", ``, "is not one JSON object"},
		{"more than one", `{} {}`, "is not one JSON object: invalid character '{'"},
		{"a list", `[]`, "is no object"},
		{"a string", `"a"`, "is no object"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "is not valid UTF-8"},
		{"too long", `{"a":"` + strings.Repeat("x", filter.MaxBytes) + `"}`, "has 4104 bytes"},
		{"unknown operator", `{"a":{"$regex":"x"}}`, `at "/a/$regex" is no operator; use $eq`},
		{"unknown operator of filters", `{"$nor":[]}`, `at "/$nor" is no operator; use $and, $or`},
		{"without a path", `{"$gt":1}`, `at "/$gt" is without a path`},
		{"nested objects", `{"a":{"b":1}}`, `at "/a/b" is no operator; to look into an object`},
		{"deep in the filter", `{"$or":[{"x":1},{"a/b~":{"$gt":true}}]}`,
			`at "/$or/1/a~1b~0/$gt" is neither a number nor a string`},
		{"a list for a value", `{"a":[1]}`, `at "/a" is a list; write {"$in": […]}`},
		{"an object for a value", `{"a":{"$eq":{}}}`, `at "/a/$eq" is a list or an object`},
		{"$ne of a list", `{"a":{"$ne":[]}}`, `at "/a/$ne" is a list or an object`},
		{"$in of no list", `{"a":{"$in":1}}`, `at "/a/$in" is no list`},
		{"$in of nothing", `{"a":{"$in":[]}}`, `at "/a/$in" is an empty list`},
		{"$nin of lists", `{"a":{"$nin":[1,[2]]}}`, `at "/a/$nin/1" is a list or an object`},
		{"$lt null", `{"a":{"$lt":null}}`, `at "/a/$lt" is neither a number nor a string`},
		{"$startsWith 1", `{"a":{"$startsWith":1}}`, `at "/a/$startsWith" is no string`},
		{"$exists 1", `{"a":{"$exists":1}}`, `at "/a/$exists" is neither true nor false`},
		{"$and of an object", `{"$and":{}}`, `at "/$and" is no list`},
		{"$or of nothing", `{"$or":[]}`, `at "/$or" is an empty list`},
		{"$or of a number", `{"$or":[1]}`, `at "/$or/0" is no object`},
		{"$or of all", `{"$or":[{}]}`, `at "/$or/0" is empty`},
		{"$not of a list", `{"$not":[]}`, `at "/$not" is no object`},
		{"$not of a value", `{"a":{"$not":1}}`, `at "/a/$not" is no object`},
		{"no operator", `{"a":{}}`, `at "/a" is empty`},
		{"twice", `{"a":1,"a":2}`, `at "/a" is given twice`},
		{"twice by escape", `{"a":{"$gt":1,"\u0024gt":2}}`, `at "/a/$gt" is given twice`},
		{"an empty step", `{"a..b":1}`, `has a path with an empty step`},
		{"an empty path", `{"":1}`, `has a path with an empty step`},
		{"a step at the end", `{"a.":1}`, `has a path with an empty step`},
		{"a stray backslash", `{"a\\b":1}`, `has a path with a backslash`},
		{"a backslash at the end", `{"a\\":1}`, `has a path with a backslash`},
		{"too many steps", `{"` + nine + `":1}`, `has a path of 9 steps; give at most 8`},
		{"too many conditions", many, `is one condition too many; give at most 64`},
		{"too large an exponent", `{"a":1e1000000001}`, `at "/a" has a number with an exponent beyond`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := filter.Parse([]byte(tc.filter))
			var invalid *events.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != "filter" {
				t.Fatalf("Parse(%s): %v; want an InvalidError of filter", tc.filter, err)
			}
			if !strings.Contains(invalid.Reason, tc.want) {
				t.Errorf("Parse(%s): %q; want %q in it", tc.filter, invalid.Reason, tc.want)
			}
		})
	}
}

// TestBounds takes what is just within the bounds.
func TestBounds(t *testing.T) {
	eight := `{"a.b.c.d.e.f.g.h":1}`
	if !parse(t, eight).Match([]byte(`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":1}}}}}}}}`)) {
		t.Errorf("%s does not match", eight)
	}
	var conditions, members []string
	for i := range filter.MaxConditions {
		conditions = append(conditions, fmt.Sprintf(`"a%d":%d`, i, i))
		members = append(members, fmt.Sprintf(`"a%d":%d`, i, i))
	}
	f := parse(t, "{"+strings.Join(conditions, ",")+"}")
	if !f.Match([]byte("{" + strings.Join(members, ",") + "}")) {
		t.Error("64 conditions that hold do not match")
	}
	for i := range members {
		was := members[i]
		members[i] = fmt.Sprintf(`"a%d":-1`, i)
		if f.Match([]byte("{" + strings.Join(members, ",") + "}")) {
			t.Errorf("63 of 64 conditions match; %d does not hold", i)
		}
		members[i] = was
	}
	deep := strings.Repeat(`{"$not":`, 400) + `{"a":1}` + strings.Repeat("}", 400)
	if !parse(t, deep).Match([]byte(`{"a":1}`)) {
		t.Error("an even number of $not does not match")
	}
	nested := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	if parse(t, `{"a":1}`).Match([]byte(`{"a":` + nested + `}`)) {
		t.Error("nested arrays match")
	}
}

// TestMatchAllocatesNothing holds that a payload is read where it is.
func TestMatchAllocatesNothing(t *testing.T) {
	f := parse(t, usual)
	payload := usualPayload()
	if n := testing.AllocsPerRun(100, func() { f.Match(payload) }); n != 0 {
		t.Errorf("Match makes %v allocations; want none", n)
	}
}

// usual is a filter of four conditions, one of them on what is last.
const usual = `{"order.total":{"$gte":100},"order.currency":{"$in":["EUR","USD"]},
	"$or":[{"region":"eu"},{"vip":true}]}`

// usualPayload returns a payload of 512 bytes that usual takes.
func usualPayload() []byte {
	payload := `{"order":{"id":"ord_01HF8Q3X7Y","total":120.50,"currency":"EUR","items":[` +
		`{"sku":"A-1042","quantity":2,"price":45.25,"name":"Coffee grinder"},` +
		`{"sku":"B-0007","quantity":1,"price":30.00,"name":"Filter papers, 100"}]},` +
		`"customer":{"id":"cus_9s6XKzkNRiz8i3","name":"Ada Lovelace","email":"ada@example.com",` +
		`"address":{"street":"12 St James's Square","city":"London","country":"GB"}},` +
		`"note":"%s","created_at":"2020-10-25T21:24:54.560Z","vip":false,"region":"eu"}`
	return fmt.Appendf(nil, payload, strings.Repeat("n", 512-len(payload)+len("%s")))
}

func TestUsual(t *testing.T) {
	payload := usualPayload()
	if len(payload) != 512 || !json.Valid(payload) || !parse(t, usual).Match(payload) {
		t.Errorf("the payload has %d bytes, or is not JSON or not taken:\n%s", len(payload), payload)
	}
}
