package filter

// operator is what a condition does with a value.
type operator int

const (
	isOneOf operator = iota
	isGreater
	isGreaterOrEqual
	isLess
	isLessOrEqual
	startsWith
)

// literal is null, true or false; a bit each.
type literal uint8

const (
	null literal = 1 << iota
	yes
	no
)

// cond is one condition on a value. All are positive: $ne, say, is an isOneOf that must not hold.
type cond struct {
	bit      uint64
	operator operator

	// What it compares with; but for isOneOf, one text or one number. Sorted.
	texts    []string
	numbers  []number
	literals literal
}

// text reports whether it holds for a string, decoded.
func (c *cond) text(s []byte) bool {
	if len(c.texts) == 0 {
		return false
	}
	t := c.texts[0] // converting s for a comparison copies nothing
	switch c.operator {
	case isGreater:
		return string(s) > t
	case isGreaterOrEqual:
		return string(s) >= t
	case isLess:
		return string(s) < t
	case isLessOrEqual:
		return string(s) <= t
	case startsWith:
		return len(s) >= len(t) && string(s[:len(t)]) == t
	}
	// By halves: $in may have hundreds of values, and a payload a million strings.
	from, to := 0, len(c.texts)
	for from < to {
		switch mid := (from + to) / 2; {
		case string(s) == c.texts[mid]:
			return true
		case string(s) > c.texts[mid]:
			from = mid + 1
		default:
			to = mid
		}
	}
	return false
}

// number reports whether it holds for a number.
func (c *cond) number(n *number) bool {
	if len(c.numbers) == 0 {
		return false
	}
	if c.operator == isOneOf {
		from, to := 0, len(c.numbers)
		for from < to {
			mid := (from + to) / 2
			switch order := n.compare(&c.numbers[mid]); {
			case order == 0:
				return true
			case order > 0:
				from = mid + 1
			default:
				to = mid
			}
		}
		return false
	}
	switch order := n.compare(&c.numbers[0]); c.operator {
	case isGreater:
		return order > 0
	case isGreaterOrEqual:
		return order >= 0
	case isLess:
		return order < 0
	case isLessOrEqual:
		return order <= 0
	}
	return false
}
