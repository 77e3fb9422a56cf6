package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
)

// The operators, as messages list them.
const (
	valueOperators  = "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $startsWith, $exists and $not"
	filterOperators = "$and, $or and $not"
)

// Parse reads a filter. The error is an *events.InvalidError with the field "filter", whose reason
// says where it is, as a JSON Pointer (RFC 6901), or at which byte if it is no JSON.
func Parse(text []byte) (*Filter, error) {
	if len(text) > MaxBytes {
		return nil, invalid("has %d bytes; give at most %d", len(text), MaxBytes)
	}
	if !utf8.Valid(text) {
		return nil, invalid("is not valid UTF-8; encode it as UTF-8")
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		at := ""
		if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
			at = fmt.Sprintf(" (byte %d)", syntax.Offset)
		}
		return nil, invalid("is not one JSON object: %v%s", err, at)
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(text)), f: new(Filter)}
	p.dec.UseNumber()
	group, err := p.filter("is empty; leave it out, or give it a condition")
	if err != nil {
		return nil, err
	}
	p.f.group = group
	p.f.root.sum()
	return p.f, nil
}

func invalid(format string, args ...any) error {
	return &events.InvalidError{Field: "filter", Reason: fmt.Sprintf(format, args...)}
}

// parser reads a filter that is JSON. It calls itself for each level; MaxBytes bounds them.
type parser struct {
	dec   *json.Decoder
	f     *Filter
	place []string // where it is, from the outermost member inwards
	conds int
}

// fail returns an error about where the parser is.
func (p *parser) fail(format string, args ...any) error {
	if len(p.place) == 0 {
		return invalid(format, args...)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var pointer strings.Builder
	for _, name := range p.place {
		pointer.WriteString("/" + escape.Replace(name))
	}
	return invalid("at %q "+format, append([]any{pointer.String()}, args...)...)
}

// token returns the next token. There always is one, as the text is JSON and each method reads what
// it begins.
func (p *parser) token() json.Token {
	t, err := p.dec.Token()
	if err != nil {
		panic("filter: the decoder refuses what it has taken before: " + err.Error())
	}
	return t
}

// within calls f for a part of what is at the place.
func (p *parser) within(name string, f func() error) error {
	p.place = append(p.place, name)
	err := f()
	p.place = p.place[:len(p.place)-1]
	return err
}

// members reads the rest of an object, and calls f before the value of each member.
func (p *parser) members(ifEmpty string, f func(name string) error) error {
	seen := make(map[string]bool)
	for p.dec.More() {
		name := p.token().(string)
		err := p.within(name, func() error {
			if seen[name] {
				return p.fail("is given twice; give it once, or use $and")
			}
			seen[name] = true
			return f(name)
		})
		if err != nil {
			return err
		}
	}
	if len(seen) == 0 && len(p.place) > 0 {
		return p.fail("%s", ifEmpty)
	}
	p.token()
	return nil
}

// elements reads the rest of an array, and calls f before each element.
func (p *parser) elements(f func() error) error {
	n := 0
	for ; p.dec.More(); n++ {
		if err := p.within(fmt.Sprint(n), f); err != nil {
			return err
		}
	}
	if n == 0 {
		return p.fail("is an empty list; give it at least one element")
	}
	p.token()
	return nil
}

// filter reads a filter, the outermost or one in it.
func (p *parser) filter(ifEmpty string) (g group, err error) {
	g.all = true
	if p.token() != json.Delim('{') {
		return g, p.fail("is no object; give one such as {\"region\": \"eu\"}")
	}
	err = p.members(ifEmpty, func(name string) error {
		switch name {
		case "$and", "$or":
			sub := group{all: name == "$and"}
			if p.token() != json.Delim('[') {
				return p.fail("is no list; give a list of filters")
			}
			err := p.elements(func() error {
				one, err := p.filter(ifEmpty)
				sub.subs = append(sub.subs, one)
				return err
			})
			g.subs = append(g.subs, sub)
			return err
		case "$not":
			sub, err := p.filter(ifEmpty)
			sub.not = true
			g.subs = append(g.subs, sub)
			return err
		}
		if strings.HasPrefix(name, "$") {
			if slices.Contains(strings.FieldsFunc(valueOperators, isSeparator), name) {
				return p.fail("is without a path; write it as {\"order.total\": {%q: …}}", name)
			}
			return p.fail("is no operator; use %s here, and %s behind a path",
				filterOperators, valueOperators)
		}
		names, reason := steps(name)
		if reason != "" {
			return p.fail("%s", reason)
		}
		return p.value(&g, p.f.root.at(names))
	})
	return g, err
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }

// value reads what is asked of the value at a path.
func (p *parser) value(g *group, n *node) error {
	t := p.token()
	switch t {
	case json.Delim('{'):
		return p.operators(g, n)
	case json.Delim('['):
		return p.fail(`is a list; write {"$in": […]} for one of its elements`)
	}
	return p.add(g, n, cond{}, true, t)
}

// operators reads the rest of an object of operators.
func (p *parser) operators(g *group, n *node) error {
	return p.members("is empty; give an operator such as $eq", func(name string) error {
		switch name {
		case "$eq", "$ne":
			t := p.token()
			if _, compound := t.(json.Delim); compound {
				return p.fail("is a list or an object; give a string, a number, true, false or null")
			}
			return p.add(g, n, cond{}, name == "$eq", t)
		case "$in", "$nin":
			return p.oneOf(g, n, name == "$in")
		case "$gt":
			return p.order(g, n, isGreater)
		case "$gte":
			return p.order(g, n, isGreaterOrEqual)
		case "$lt":
			return p.order(g, n, isLess)
		case "$lte":
			return p.order(g, n, isLessOrEqual)
		case "$startsWith":
			t := p.token()
			if _, is := t.(string); !is {
				return p.fail("is no string; give the beginning of one")
			}
			return p.add(g, n, cond{operator: startsWith}, true, t)
		case "$exists":
			is, ok := p.token().(bool)
			if !ok {
				return p.fail("is neither true nor false; give one of them")
			}
			bit, err := p.bit(g, is)
			n.exists |= bit
			return err
		case "$not":
			if p.token() != json.Delim('{') {
				return p.fail("is no object; give one of operators, or use $ne")
			}
			sub := group{all: true, not: true}
			err := p.operators(&sub, n)
			g.subs = append(g.subs, sub)
			return err
		}
		if strings.HasPrefix(name, "$") {
			return p.fail("is no operator; use %s", valueOperators)
		}
		return p.fail("is no operator; to look into an object write the whole path, " +
			"such as order.total")
	})
}

// oneOf reads the values of $in or $nin.
func (p *parser) oneOf(g *group, n *node, is bool) error {
	if p.token() != json.Delim('[') {
		return p.fail("is no list; give a list of values")
	}
	var values []json.Token
	err := p.elements(func() error {
		t := p.token()
		if _, compound := t.(json.Delim); compound {
			return p.fail("is a list or an object; give a string, a number, true, false or null")
		}
		values = append(values, t)
		return nil
	})
	if err != nil {
		return err
	}
	return p.add(g, n, cond{}, is, values...)
}

// order reads what $gt and its like compare with.
func (p *parser) order(g *group, n *node, o operator) error {
	t := p.token()
	switch t.(type) {
	case string, json.Number:
		return p.add(g, n, cond{operator: o}, true, t)
	}
	return p.fail("is neither a number nor a string; give one of them")
}

// add asks a condition of the value at a node. is says whether it is to hold.
func (p *parser) add(g *group, n *node, c cond, is bool, values ...json.Token) (err error) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			c.texts = append(c.texts, v)
		case json.Number:
			number := parseNumber([]byte(v))
			if max(number.exp, -number.exp) > maxExponent {
				return p.fail("has a number with an exponent beyond %d; give a smaller one", maxExponent)
			}
			c.numbers = append(c.numbers, number)
		case bool:
			if v {
				c.literals |= yes
			} else {
				c.literals |= no
			}
		case nil:
			c.literals |= null
		}
	}
	slices.Sort(c.texts)
	slices.SortFunc(c.numbers, func(a, b number) int { return a.compare(&b) })
	if c.bit, err = p.bit(g, is); err == nil {
		n.conds = append(n.conds, c)
	}
	return err
}

// bit returns the bit of another condition of a group, which is to hold or is not to.
func (p *parser) bit(g *group, is bool) (uint64, error) {
	if p.conds == MaxConditions {
		return 0, p.fail("is one condition too many; give at most %d", MaxConditions)
	}
	bit := uint64(1) << p.conds
	p.conds++
	if is {
		g.yes |= bit
	} else {
		g.no |= bit
	}
	return bit, nil
}
