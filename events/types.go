package events

import (
	"strconv"
	"strings"
)

// maxTypeLen bounds event types and patterns, in characters (which are bytes: both are ASCII).
const maxTypeLen = 128

// ValidateType returns an *InvalidError with the field "type" unless name can be an event type: 1
// to 128 characters from A-Z, a-z, 0-9, "_", "-" and ".", where dots separate segments and no
// segment is empty.
func ValidateType(name string) error {
	if reason := typeReason(name); reason != "" {
		return &InvalidError{Field: "type", Reason: reason}
	}
	return nil
}

// typeReason says why name is no event type; "" when it is one.
func typeReason(name string) string {
	switch {
	case name == "":
		return "is empty; give a dotted name such as message.created"
	case len(name) > maxTypeLen:
		return "is longer than 128 characters; shorten it"
	case !isWord(name, '.'):
		return strconv.Quote(name) + " has a character outside A-Z, a-z, 0-9, _, - and the dot; remove it"
	case name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, ".."):
		return strconv.Quote(name) +
			" has an empty segment; write it without a leading, trailing or double dot"
	}
	return ""
}

// isWord reports whether s has only A-Z, a-z, 0-9, "_", "-" and extra.
func isWord(s string, extra byte) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-',
			c == extra:
		default:
			return false
		}
	}
	return true
}
