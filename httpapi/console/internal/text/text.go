// Package text makes bytes that others wrote readable on a page: payloads, answers, names, URLs. It
// returns plain text, which html/template escapes like any other; nothing here is HTML.
//
// What can't be seen is shown as an escape, because a reader can't tell it from something else
// otherwise: control characters, characters that change the direction of what follows, and those
// without a width.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s on one line: every character that can't be seen is an escape such as \u202e, and
// every byte that is no UTF-8 one such as \xff.
func Line(s string) string { return escape(s, false) }

// Block is Line, but line breaks and tabs stay.
func Block(s string) string { return escape(s, true) }

func escape(s string, multiline bool) string {
	at := firstHidden(s, multiline)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:at])
	for at < len(s) {
		c, size := utf8.DecodeRuneInString(s[at:])
		switch {
		case c == utf8.RuneError && size == 1:
			b.WriteString(`\x`)
			writeHex(&b, uint32(s[at]), 2)
		case !hidden(c, multiline):
			b.WriteString(s[at : at+size])
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c > 0xffff:
			b.WriteString(`\U`)
			writeHex(&b, uint32(c), 8)
		default:
			b.WriteString(`\u`)
			writeHex(&b, uint32(c), 4)
		}
		at += size
	}
	return b.String()
}

// firstHidden returns where the first byte is that is to be escaped; -1 if there is none.
func firstHidden(s string, multiline bool) int {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
		if hidden(c, multiline) {
			return i
		}
	}
	return -1
}

// hidden reports whether a character shows nothing, or changes how others are shown. IsPrint is
// false for control and format characters, for blanks other than U+0020, for separators of lines,
// and for what Unicode has not assigned.
func hidden(c rune, multiline bool) bool {
	switch {
	case multiline && (c == '\n' || c == '\t'):
		return false
	case !unicode.IsPrint(c):
		return true
	}
	switch c {
	case '\u115f', '\u1160', '\u3164', '\uffa0', // fillers of Hangul, letters without a shape
		'\u2800',                               // a pattern of Braille without a dot
		'\u034f', '\u17b4', '\u17b5', '\u180b', // marks without a shape
		'\u180c', '\u180d':
		return true
	}
	return c >= 0xe0100 && c <= 0xe01ef // selectors of variants, which can hide any text
}

// writeHex writes n in hexadecimal with so many digits.
func writeHex(b *strings.Builder, n uint32, digits int) {
	const hex = "0123456789abcdef"
	for i := digits - 1; i >= 0; i-- {
		b.WriteByte(hex[n>>(4*i)&0xf])
	}
}

// Cut returns the first max bytes of s, or fewer so that no character is cut in two, and whether
// something is left out.
func Cut(s string, max int) (string, bool) {
	if len(s) <= max {
		return s, false
	}
	at := max
	for at > 0 && at > max-utf8.UTFMax && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at], true
}
