package text

import (
	"bytes"
	"encoding/json"
)

const (
	indent    = "  "
	maxIndent = 24 // levels; a body of brackets alone would take the square of its length otherwise
)

// Body returns how a body is shown: JSON on many lines, with the order of its keys, the digits of
// its numbers and the escapes of its strings as they were sent, and anything else as it is. At most
// max bytes of it are shown, before escapes; cut says that there is more.
func Body(src []byte, max int) (shown string, cut bool) {
	if json.Valid(src) {
		var formatted []byte
		formatted, cut = format(src, max)
		return Block(string(formatted)), cut
	}
	shown, cut = Cut(string(src), max)
	return Block(shown), cut
}

// format puts valid JSON on lines. It copies tokens as they are: to decode and encode them would
// round numbers and drop keys that are there twice.
func format(src []byte, max int) (out []byte, cut bool) {
	f := formatter{out: make([]byte, 0, min(len(src)*2, max+64))}
	for i := 0; i < len(src); i++ {
		if len(f.out) >= max {
			text, _ := Cut(string(f.out), max)
			return []byte(text), true
		}
		switch c := src[i]; c {
		case ' ', '\t', '\n', '\r':
		case '{', '[':
			f.out = append(f.out, c)
			if end := closes(src[i+1:]); end > 0 {
				f.out = append(f.out, c+2) // } is two after {, and ] two after [
				i += end
				continue
			}
			f.depth++
			f.newline()
		case '}', ']':
			f.depth--
			f.newline()
			f.out = append(f.out, c)
		case ',':
			f.out = append(f.out, c)
			f.newline()
		case ':':
			f.out = append(f.out, ':', ' ')
		case '"':
			end := stringEnd(src, i)
			f.out = append(f.out, src[i:end]...)
			i = end - 1
		default:
			f.out = append(f.out, c)
		}
	}
	if len(f.out) > max { // a long string at the end
		text, _ := Cut(string(f.out), max)
		return []byte(text), true
	}
	return f.out, false
}

type formatter struct {
	out   []byte
	depth int
}

func (f *formatter) newline() {
	f.out = append(f.out, '\n')
	f.out = append(f.out, bytes.Repeat([]byte(indent), min(f.depth, maxIndent))...)
}

// closes returns how many bytes there are up to and with a bracket that closes at once; 0 if
// something is before it.
func closes(rest []byte) int {
	for i, c := range rest {
		switch c {
		case ' ', '\t', '\n', '\r':
		case '}', ']':
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// stringEnd returns where the string that begins at i ends.
func stringEnd(src []byte, i int) int {
	for i++; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}
