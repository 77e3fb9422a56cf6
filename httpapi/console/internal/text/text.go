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
	return c == '\u2800' || // a pattern of Braille without a dot
		unicode.Is(ignorable, c)
}

// ignorable are the characters that Unicode has without a shape and package unicode prints: the
// Default_Ignorable_Code_Point of DerivedCoreProperties.txt, and a few others that show nothing.
// The selectors of variants among them can hide any text.
var ignorable = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // the joiner of graphemes
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // fillers of Hangul
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // vowels of Khmer
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // selectors of Mongolian
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // a filler of Hangul
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, // selectors of variants
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // a filler of Hangul
	},
	R32: []unicode.Range32{
		{Lo: 0x1107f, Hi: 0x1107f, Stride: 1}, // the joiner of numbers of Brahmi
		{Lo: 0x16fe4, Hi: 0x16fe4, Stride: 1}, // the filler of Khitan
		{Lo: 0xe0100, Hi: 0xe01ef, Stride: 1}, // selectors of variants
	},
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
