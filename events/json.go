package events

import (
	"encoding/binary"
	"math/bits"
)

// maxNesting is how deep arrays and objects may nest: as deep as encoding/json reads.
const maxNesting = 10_000

// scanJSON reports whether src is one JSON value (RFC 8259), and whether there is white space
// around its tokens. Its result is that of json.Valid, in a tenth of the time: every published
// payload comes through here, most of them twice. Like json.Valid it does not check for valid
// UTF-8.
func scanJSON(src []byte) (blanks, ok bool) {
	s := jsonScanner{src: src}
	for s.value() {
		more, ok := s.rest()
		if !more {
			return s.blanks, ok
		}
	}
	return s.blanks, false
}

// jsonScanner reads a JSON text. It calls no function for each level, as 10,000 of them would need
// a large stack, and allocates nothing for the first 64 levels.
type jsonScanner struct {
	src    []byte
	at     int  // all before it is read
	blanks bool // some were skipped

	depth int // of what is not closed yet
	// a bit for each of its innermost levels, up to 64: 1 for an object; the last is the innermost
	kinds uint64
	outer []uint64 // those of the levels around, 64 each
}

// push goes into an array or object, which begins with c. It is false when that is too deep.
func (s *jsonScanner) push(c byte) bool {
	if s.depth == maxNesting {
		return false
	}
	if s.depth > 0 && s.depth%64 == 0 {
		s.outer = append(s.outer, s.kinds)
	}
	s.kinds <<= 1
	if c == '{' {
		s.kinds |= 1
	}
	s.depth++
	return true
}

// pop goes out of the innermost.
func (s *jsonScanner) pop() {
	s.kinds >>= 1
	s.depth--
	if s.depth > 0 && s.depth%64 == 0 {
		last := len(s.outer) - 1
		s.kinds, s.outer = s.outer[last], s.outer[:last]
	}
}

// innermost returns what the innermost begins with and ends with.
func (s *jsonScanner) innermost() (begin, end byte) {
	if s.kinds&1 == 0 {
		return '[', ']'
	}
	return '{', '}'
}

// value reads a value; of one that holds others all up to the end of the first that holds none.
func (s *jsonScanner) value() bool {
	for {
		c := s.token()
		if c != '[' && c != '{' {
			return s.scalar(c)
		}
		if !s.push(c) {
			return false
		}
		if _, end := s.innermost(); s.peek() == end {
			return true
		}
		if c == '{' && !s.name() {
			return false
		}
	}
}

// rest reads what follows a value: all that it closes, up to where the next value begins, if there
// are more.
func (s *jsonScanner) rest() (more, ok bool) {
	for s.depth > 0 {
		begin, end := s.innermost()
		switch s.token() {
		case ',':
			ok = begin == '[' || s.name()
			return ok, ok
		case end:
			s.pop()
		default:
			return false, false
		}
	}
	s.peek()
	return false, s.at == len(s.src)
}

// name reads the name of an object's member, and the colon.
func (s *jsonScanner) name() bool { return s.token() == '"' && s.text() && s.token() == ':' }

// peek skips white space and returns what comes then; 0 at the end.
func (s *jsonScanner) peek() byte {
	for ; s.at < len(s.src); s.at++ {
		switch c := s.src[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.blanks = true
		default:
			return c
		}
	}
	return 0
}

// token reads what peek returns.
func (s *jsonScanner) token() byte {
	c := s.peek()
	s.at++
	return c
}

// scalar reads the rest of a value that begins with c and holds no others.
func (s *jsonScanner) scalar(c byte) bool {
	switch c {
	case '"':
		return s.text()
	case 't':
		return s.word("rue")
	case 'f':
		return s.word("alse")
	case 'n':
		return s.word("ull")
	}
	return s.number(c)
}

// word reads w, the rest of a literal name.
func (s *jsonScanner) word(w string) bool {
	end := s.at + len(w)
	if end > len(s.src) || string(s.src[s.at:end]) != w {
		return false
	}
	s.at = end
	return true
}

// number reads the rest of a number that begins with c.
func (s *jsonScanner) number(c byte) bool {
	if c == '-' {
		c = s.byte()
		s.at++
	}
	if c < '0' || c > '9' {
		return false
	}
	if c != '0' {
		s.digits()
	}
	if s.byte() == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if s.byte()|0x20 == 'e' {
		s.at++
		if c := s.byte(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

// byte returns the next byte; 0 at the end.
func (s *jsonScanner) byte() byte {
	if s.at < len(s.src) {
		return s.src[s.at]
	}
	return 0
}

// digits reads digits and reports whether there were any.
func (s *jsonScanner) digits() bool {
	start := s.at
	for c := s.byte(); c >= '0' && c <= '9'; c = s.byte() {
		s.at++
	}
	return s.at > start
}

// text reads the rest of a string whose quote has been read.
func (s *jsonScanner) text() bool {
	for {
		s.at += plain(s.src[min(s.at, len(s.src)):])
		c := s.byte()
		s.at++
		if c == '"' {
			return true
		}
		if c != '\\' || !s.escape() {
			return false // c is a control character, or the end
		}
	}
}

// plain returns how many bytes of a string come before a quote, a backslash or a control character.
// It looks at eight at a time, and at four times eight once that many are plain: what is long is
// text, and what is short ends soon.
func plain(b []byte) int {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		if found := special(binary.LittleEndian.Uint64(b[n:])); found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
		for len(b)-n >= 8+32 {
			w := b[n+8 : n+8+32]
			if special(binary.LittleEndian.Uint64(w))|special(binary.LittleEndian.Uint64(w[8:]))|
				special(binary.LittleEndian.Uint64(w[16:]))|
				special(binary.LittleEndian.Uint64(w[24:])) != 0 {
				break
			}
			n += 32
		}
	}
	for n < len(b) && b[n] != '"' && b[n] != '\\' && b[n] >= ' ' {
		n++
	}
	return n
}

// special returns the high bits of those bytes of a word that are a quote, a backslash or a control
// character, by the test for a zero byte of "Bit Twiddling Hacks"
// (https://graphics.stanford.edu/~seander/bithacks.html). Its lowest finding is always right; above
// that, it may find what is not there.
func special(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & highs
}

// escape reads the rest of an escape whose backslash has been read.
func (s *jsonScanner) escape() bool {
	c := s.byte()
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			c := s.byte()
			s.at++
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
		return true
	}
	return false
}
