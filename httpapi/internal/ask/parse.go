package ask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
)

// maxDepth is how deep a body may be nested. The deepest that an endpoint takes is 2. The bound is
// for the stack: value calls itself for each level.
const maxDepth = 16

// Parse returns the members of a JSON object (RFC 8259) as encoding/json would, with numbers as
// json.Number. It is stricter: one object and nothing else, no name twice in any object, valid
// UTF-8, and no \u escape that stands for half a character, which encoding/json would replace. Each
// of these would store something else than was sent, or than another program takes the same bytes
// for. Its errors are *events.InvalidError.
func Parse(body []byte) (map[string]any, error) {
	if err := checkText(body); err != nil {
		return nil, err
	}
	// Tokens, and not Unmarshal into a map: only they show a name that is there twice.
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	p := parser{dec: dec}
	v, err := p.value(1)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, BodyError("is " + kind(v) + "; send one JSON object")
	}
	return object, nil
}

// checkText checks everything that can be wrong with a body before its structure is looked at. Its
// errors say where, since a body is often written by hand in a shell.
func checkText(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return BodyError("is empty; send a JSON object")
	}
	for i := 0; i < len(body); {
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			return BodyError("is not valid UTF-8 " + position(body, i) + "; encode it as UTF-8")
		}
		i += size
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		at := len(body)
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = int(syntax.Offset)
		}
		return BodyError(fmt.Sprintf("is not valid JSON: %v %s", err, position(body, at-1)))
	}
	if i := loneSurrogate(body); i >= 0 {
		return BodyError("has half of a surrogate pair " + position(body, i) +
			`; write both halves, \ud83d\ude00, or the character itself`)
	}
	return nil
}

// loneSurrogate returns where in valid JSON a \u escape stands for half a character; -1 if none
// does. It looks at the bytes, because in a decoded string nothing is left of such an escape but a
// replacement character, which may as well have been sent.
func loneSurrogate(body []byte) int {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		r := escaped(body[i:])
		switch {
		case !utf16.IsSurrogate(r):
			i++ // the character after the backslash may be another
		case utf16.DecodeRune(r, escaped(body[i+6:])) == utf8.RuneError:
			return i
		default:
			i += 11
		}
	}
	return -1
}

// escaped returns the code unit of the \u escape that b starts with; -1 when it doesn't.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// parser builds values from the tokens of valid JSON.
type parser struct {
	dec   *json.Decoder
	field string // the field of the body that is being read, for messages
}

// value reads the next value, which is depth deep.
func (p *parser) value(depth int) (any, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	switch {
	case !nested:
		return token, nil
	case depth > maxDepth:
		return nil,
			BodyError(fmt.Sprintf("is nested more than %d deep; send the fields as documented", maxDepth))
	case delim == '[':
		return p.array(depth)
	default:
		return p.object(depth)
	}
}

// token reads the next token.
func (p *parser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err != nil { // can't be: the JSON is valid
		return nil, BodyError("is not valid JSON: " + err.Error())
	}
	return token, nil
}

// array reads the rest of an array.
func (p *parser) array(depth int) (any, error) {
	out := []any{}
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := p.token() // ]
	return out, err
}

// object reads the rest of an object.
func (p *parser) object(depth int) (any, error) {
	out := map[string]any{}
	for p.dec.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if depth == 1 {
			p.field = name
		}
		// Before the value is read, so that the message is about the first thing that is wrong.
		if _, twice := out[name]; twice {
			return nil, p.twice(name, depth)
		}
		if out[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := p.token() // }
	return out, err
}

// twice is the error for a name that an object has twice. Deeper than the body itself, it is about
// the field that the object is in.
func (p *parser) twice(name string, depth int) error {
	if depth == 1 {
		return &events.InvalidError{Field: label(name), Reason: "is given twice; give it once"}
	}
	return &events.InvalidError{Field: label(p.field),
		Reason: "has " + label(name) + " twice; give it once"}
}

// BodyError returns an *events.InvalidError about the body as a whole.
func BodyError(reason string) error { return &events.InvalidError{Field: "body", Reason: reason} }

// position says where the byte with the index i is, as editors count: from 1.
func position(body []byte, i int) string {
	return fmt.Sprintf("at byte %d, line %d", i+1, 1+bytes.Count(body[:max(i, 0)], []byte("\n")))
}
