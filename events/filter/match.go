package filter

import "bytes"

// walker goes through a payload once and notes which conditions hold. It calls itself for each
// level of the paths and no more: what no path leads to is skipped, and an array in an array too.
type walker struct {
	scanner
	hit uint64 // the conditions that hold for a value seen so far
	buf []byte // for strings with escapes
}

// value reads a value that is at n. inArray says that it is an element of an array. It is false
// where the payload is not valid; the walk ends there.
func (w *walker) value(n *node, inArray bool) bool {
	c := w.peek()
	switch {
	case c == '{' && len(n.children) > 0:
		return w.object(n)
	case c == '[' && !inArray && len(n.children)+len(n.conds) > 0:
		return w.array(n)
	case c == '{' || c == '[' || len(n.conds) == 0:
		return w.skip()
	}
	return w.scalar(n, c)
}

func (w *walker) object(n *node) bool {
	w.at++
	before := w.hit
	var seen uint64 // of the children
	for first := true; ; first = false {
		if more, ok := w.next(first, '}'); !more {
			return ok
		}
		raw, ok := w.name()
		if !ok {
			return false
		}
		child, i := n.find(raw, &w.buf)
		if child == nil {
			if !w.skip() {
				return false
			}
			continue
		}
		// The last member of a name counts. What other objects of an array have hit stays.
		if seen&(1<<i) != 0 {
			w.hit = w.hit&^child.below | before&child.below
		}
		seen |= 1 << i
		w.hit |= child.exists
		if !w.value(child, false) {
			return false
		}
	}
}

func (w *walker) array(n *node) bool {
	w.at++
	for first := true; ; first = false {
		if more, ok := w.next(first, ']'); !more {
			return ok
		}
		if !w.value(n, true) {
			return false
		}
	}
}

// scalar reads a string, a number or a literal name, which begins with c.
func (w *walker) scalar(n *node, c byte) bool {
	w.steps++
	if c == '"' {
		raw, ok := w.text()
		if !ok {
			return false
		}
		if bytes.IndexByte(raw, '\\') >= 0 {
			w.buf = decode(w.buf[:0], raw)
			raw = w.buf
		}
		for i := range n.conds {
			if n.conds[i].text(raw) {
				w.hit |= n.conds[i].bit
			}
		}
		return true
	}
	raw, ok := w.word()
	if !ok {
		return false
	}
	var which literal
	switch c {
	case 'n':
		which = null
	case 't':
		which = yes
	case 'f':
		which = no
	default:
		number := parseNumber(raw)
		for i := range n.conds {
			if n.conds[i].number(&number) {
				w.hit |= n.conds[i].bit
			}
		}
		return true
	}
	for i := range n.conds {
		if n.conds[i].literals&which != 0 {
			w.hit |= n.conds[i].bit
		}
	}
	return true
}
