package filter

import (
	"fmt"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
)

// Fields reduces payloads to some paths of them. Make one with [ParseFields].
type Fields struct{ root node }

// ParseFields returns the Fields of some paths, in the notation of filters. It returns an
// *events.InvalidError with the field "fields" for none, more than MaxFields, more than MaxBytes in
// all, and for one that is no path or has more than MaxSteps.
func ParseFields(paths []string) (*Fields, error) {
	invalid := func(format string, args ...any) (*Fields, error) {
		return nil, &events.InvalidError{Field: "fields", Reason: fmt.Sprintf(format, args...)}
	}
	if len(paths) == 0 {
		return invalid("has no path; give at least one, such as order.total")
	}
	if len(paths) > MaxFields {
		return invalid("has %d paths; give at most %d", len(paths), MaxFields)
	}
	f, total := new(Fields), 0
	for i, path := range paths {
		names, reason := steps(path)
		if !utf8.ValidString(path) {
			reason = "has a path that is not valid UTF-8; encode it as UTF-8"
		}
		if reason != "" {
			return invalid("%s (path %d)", reason, i+1)
		}
		if total += len(path); total > MaxBytes {
			return invalid("has more than %d bytes; give fewer or shorter paths", MaxBytes)
		}
		f.root.at(names).whole = true
	}
	return f, nil
}

// Append appends to dst what the paths reach of a payload, which must be JSON, in UTF-8, and
// returns the result. ok is false if it finds that the payload is none; dst has no meaning then.
//
// Members stay in their order, and names and values as they are spelled; only white space between
// them goes. An object on the way to a path stays, if only as {}; an array on the way has the
// objects of its elements, each reduced. Any other value on the way is left out, with its name. A
// payload that is neither object nor array becomes null.
//
// The result depends on the payload and the paths alone.
func (f *Fields) Append(dst, payload []byte) (out []byte, ok bool) {
	p := projector{scanner: scanner{src: payload}, out: dst}
	switch p.peek() {
	case '{', '[':
		ok = p.value(&f.root)
	default:
		ok = p.skip()
		p.out = append(p.out, "null"...)
	}
	return p.out, ok && p.peek() == 0 && p.at == len(payload)
}

// projector writes what paths reach of a payload. Like a walker, it calls itself for each level of
// the paths.
type projector struct {
	scanner
	out []byte
	buf []byte
}

// value writes an object or an array that is on the way of a path: of its members or elements those
// that paths reach.
func (p *projector) value(n *node) bool {
	open := p.peek()
	end := open + 2 // in ASCII, for both kinds
	p.at++
	p.out = append(p.out, open)
	begin := len(p.out)
	for first := true; ; first = false {
		more, ok := p.next(first, end)
		if !more {
			p.out = append(p.out, end)
			return ok
		}
		if open == '{' {
			ok = p.member(n, begin)
		} else {
			ok = p.element(n, begin)
		}
		if !ok {
			return false
		}
	}
}

// member reads a member of an object, and writes it if a path leads to it. begin is where in the
// result those of the object begin.
func (p *projector) member(n *node, begin int) bool {
	name, ok := p.name()
	if !ok {
		return false
	}
	child, _ := n.find(name, &p.buf)
	kind := p.peek()
	if child == nil || !child.whole && kind != '{' && kind != '[' {
		return p.skip()
	}
	p.comma(begin)
	p.out = append(append(p.out, name...), ':')
	if !child.whole {
		return p.value(child)
	}
	from := p.at
	ok = p.skip()
	p.out = append(p.out, p.src[from:p.at]...)
	return ok
}

// element reads an element of an array, and writes it if it is an object.
func (p *projector) element(n *node, begin int) bool {
	if p.peek() != '{' {
		return p.skip()
	}
	p.comma(begin)
	return p.value(n)
}

// comma writes a comma, unless nothing was written since begin.
func (p *projector) comma(begin int) {
	if len(p.out) > begin {
		p.out = append(p.out, ',')
	}
}
