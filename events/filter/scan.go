package filter

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner steps over the values of a JSON text. It is for texts that are valid already: of others
// it finds out little, but it always comes to an end. Each method leaves the scanner behind what it
// has read, and is false if that is not there.
type scanner struct {
	src   []byte
	at    int
	steps int // values and names so far; what is in a value that is skipped counts with it
}

// peek skips white space and returns what comes then; 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.src); s.at++ {
		if c := s.src[s.at]; c > ' ' {
			return c
		}
	}
	return 0
}

// text reads a string, which begins here, and returns what is between its quotes.
func (s *scanner) text() (raw []byte, ok bool) {
	from := s.at + 1
	for i := from; i <= len(s.src); i++ {
		n := bytes.IndexByte(s.src[i:], '"')
		if n < 0 {
			break
		}
		i += n
		if !s.isEscaped(from, i) {
			s.at = i + 1
			return s.src[from:i], true
		}
	}
	s.at = len(s.src)
	return nil, false
}

// isEscaped reports whether the character at i of a string is escaped: whether an odd number of
// backslashes is before it.
func (s *scanner) isEscaped(from, i int) bool {
	n := 0
	for i--; i >= from && s.src[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// word reads a number, or a literal name.
func (s *scanner) word() (raw []byte, ok bool) {
	from := s.at
	for ; s.at < len(s.src); s.at++ {
		switch c := s.src[s.at]; c {
		case ',', ']', '}', ':', '[', '{', '"', ' ', '\t', '\n', '\r':
			return s.src[from:s.at], s.at > from
		}
	}
	return s.src[from:], s.at > from
}

// skip reads a value of any kind.
func (s *scanner) skip() bool {
	s.steps++
	switch s.peek() {
	case '"':
		_, ok := s.text()
		return ok
	case '{', '[':
	default:
		_, ok := s.word()
		return ok
	}
	depth := 0
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case '"':
			if _, ok := s.text(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return true
		}
	}
	return false
}

// next reads what is between two members or elements, and reports whether there is another. It is
// to be called before the first one too, with first true. end is what the object or array ends
// with.
func (s *scanner) next(first bool, end byte) (more, ok bool) {
	c := s.peek()
	switch {
	case c == end:
		s.at++
		return false, true
	case first:
		return c != 0, c != 0
	case c == ',':
		s.at++
		return true, true
	}
	return false, false
}

// name reads the name of a member with the colon behind it. raw has the quotes.
func (s *scanner) name() (raw []byte, ok bool) {
	s.steps++
	if s.peek() != '"' {
		return nil, false
	}
	from := s.at
	if _, ok := s.text(); !ok {
		return nil, false
	}
	raw = s.src[from:s.at]
	if s.peek() != ':' {
		return nil, false
	}
	s.at++
	return raw, true
}

// find returns the child with the name, raw with its quotes, and which one it is; nil if there is
// none. buf is memory for what must be decoded.
func (n *node) find(raw []byte, buf *[]byte) (child *node, i int) {
	name := raw[1 : len(raw)-1]
	for _, c := range name {
		if c == '\\' { // names are short, and this is quicker than a call
			*buf = decode((*buf)[:0], name)
			name = *buf
			break
		}
	}
	for i, c := range n.children {
		if string(name) == c.name {
			return c, i
		}
	}
	return nil, 0
}

// decode appends a string, given without its quotes, with its escapes decoded. Half of a surrogate
// pair becomes U+FFFD, as in encoding/json.
func decode(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = raw[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				// Both halves, or else the first alone is replaced.
				pair := utf8.RuneError
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					pair = utf16.DecodeRune(r, hex(raw[i+3:]))
				}
				if r = pair; pair != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// hex reads four hexadecimal digits; U+FFFD if they are not there.
func hex(text []byte) (r rune) {
	if len(text) < 4 {
		return utf8.RuneError
	}
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return utf8.RuneError
		}
		r = r<<4 | rune(c)
	}
	return r
}
