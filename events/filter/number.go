package filter

import "bytes"

// maxExponent bounds the exponents of numbers in a filter, and is where those of payloads end:
// a number beyond is greater than all that a filter has, or nearer to zero.
const maxExponent = 1_000_000_000

// number is a JSON number, exactly: 0.DDD × 10^exp, where DDD are the digits of high and low. The
// first digit is not 0, but for zero, which has none.
type number struct {
	negative  bool
	high, low []byte // digits, parts of the number's text
	exp       int64
}

// parseNumber reads a JSON number. Its digits stay where they are.
func parseNumber(text []byte) (n number) {
	if len(text) > 0 && text[0] == '-' {
		n.negative, text = true, text[1:]
	}
	n.high, text = digits(text)
	if len(text) > 0 && text[0] == '.' {
		n.low, text = digits(text[1:])
	}
	for len(n.high) > 0 && n.high[0] == '0' {
		n.high = n.high[1:]
	}
	n.exp = int64(len(n.high))
	for len(n.high) == 0 && len(n.low) > 0 && n.low[0] == '0' {
		n.low = n.low[1:]
		n.exp--
	}
	if n.isZero() {
		return number{} // whatever its sign and its exponent
	}
	if len(text) > 0 && text[0]|0x20 == 'e' {
		n.exp += exponent(text[1:])
	}
	return n
}

// digits splits off the digits with which text begins.
func digits(text []byte) (d, rest []byte) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return text[:i], text[i:]
}

// exponent reads the exponent of a number. One that is too large ends well beyond maxExponent.
func exponent(text []byte) (e int64) {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	for _, c := range text {
		if e = e*10 + int64(c-'0'); e > 1e15 {
			e = 1e15
		}
	}
	if negative {
		return -e
	}
	return e
}

// isZero reports whether n is zero.
func (n *number) isZero() bool { return len(n.high)+len(n.low) == 0 }

// compare returns -1 if n is less than m, 0 if they are equal, and 1 if it is greater.
func (n *number) compare(m *number) int {
	switch {
	case n.isZero() && m.isZero():
		return 0
	case n.isZero():
		return -m.sign()
	case m.isZero() || n.negative != m.negative:
		return n.sign()
	case n.exp < m.exp:
		return -n.sign()
	case n.exp > m.exp:
		return n.sign()
	}
	return n.sign() * n.compareDigits(m)
}

// sign returns the sign of a number that is not zero.
func (n *number) sign() int {
	if n.negative {
		return -1
	}
	return 1
}

// compareDigits compares the digits, as if there were zeros after the last.
func (n *number) compareDigits(m *number) int {
	if len(n.low) == 0 && len(m.low) == 0 && len(n.high) == len(m.high) {
		return bytes.Compare(n.high, m.high)
	}
	for i := range max(len(n.high)+len(n.low), len(m.high)+len(m.low)) {
		switch a, b := n.digit(i), m.digit(i); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
	}
	return 0
}

func (n *number) digit(i int) byte {
	switch {
	case i < len(n.high):
		return n.high[i]
	case i-len(n.high) < len(n.low):
		return n.low[i-len(n.high)]
	}
	return '0'
}
