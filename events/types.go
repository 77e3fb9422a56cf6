package events

import (
	"strconv"
	"strings"
)

// maxTypeLen bounds event types and patterns, in characters (which are bytes: both are ASCII).
const maxTypeLen = 128

// ValidateType returns an *InvalidError with the field "type" unless name can be an event type: at
// most 128 characters, which are words of A-Z, a-z, 0-9, "_" and "-" with one dot, slash, colon or
// blank between each two: "message.created", "orders/create", "repo:push", "Push Hook".
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
	}
	rest := name
	for {
		i := strings.IndexAny(rest, between)
		if i < 0 {
			break
		}
		if i == 0 {
			return emptyWord(name)
		}
		if !isWord(rest[:i]) {
			return strangeCharacter(name)
		}
		rest = rest[i+1:]
	}
	switch {
	case rest == "":
		return emptyWord(name)
	case !isWord(rest):
		return strangeCharacter(name)
	}
	return ""
}

// What may stand between the words of an event type. A blank is no step of a hierarchy: no pattern
// ends with one and a star.
const (
	separators = "./:"
	between    = separators + " "
)

func emptyWord(name string) string {
	return strconv.Quote(name) + " has an empty word; write one separator between words, none at " +
		"an end"
}

func strangeCharacter(name string) string {
	return strconv.Quote(name) + " has a character outside A-Z, a-z, 0-9, _, -, the dot, the slash, " +
		"the colon and the blank; remove it"
}

// isWord reports whether s has only A-Z, a-z, 0-9, "_" and "-".
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
