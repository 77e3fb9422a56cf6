package events

import (
	"slices"
	"strconv"
	"strings"
)

// ValidatePattern returns an *InvalidError with the field "events" unless p is a valid pattern: an
// event type (see ValidateType), or an event type followed by a dot, a slash or a colon and a star,
// which matches the family below it: "message.*", "orders/*", "repo:*". At most 128 characters. A
// lone "*" is refused, because an empty list of patterns already means every type.
func ValidatePattern(p string) error {
	reason := ""
	switch prefix, isFamily := family(p); {
	case len(p) > maxTypeLen:
		reason = "has a name longer than 128 characters; shorten it"
	case p == "":
		reason = "has an empty name; leave it out, or leave the whole list empty to get every type"
	case p == "*":
		reason = `has "*"; leave the list empty to get every type`
	case isFamily && typeReason(prefix[:len(prefix)-1]) == "":
	case !isFamily && typeReason(p) == "":
	case strings.Contains(p, "*"):
		reason = "has " + strconv.Quote(p) +
			"; a star may only end a name, after a dot, a slash or a colon: message.*"
	default:
		reason = "has " + strconv.Quote(p) + "; write words of A-Z, a-z, 0-9, _ and -, with a single " +
			"dot, slash, colon or blank between them, such as message.created"
	}
	if reason == "" {
		return nil
	}
	return &InvalidError{Field: "events", Reason: reason}
}

// family returns what the types of a family begin with, its separator included, if p is a pattern
// for one.
func family(p string) (prefix string, ok bool) {
	prefix, ok = strings.CutSuffix(p, "*")
	ok = ok && prefix != "" && strings.IndexByte(separators, prefix[len(prefix)-1]) >= 0
	return prefix, ok
}

// Match reports whether the pattern matches the type: "message.created" matches only itself,
// "message.*" matches "message.created", "message.a.b" and "message.a/b", but neither "message" nor
// "messages.x" nor "message/created". Case matters. Operational types are matched by their own name
// only. Both arguments must be valid.
func Match(pattern, eventType string) bool {
	prefix, isFamily := family(pattern)
	if !isFamily || Operational(eventType) {
		return pattern == eventType
	}
	return len(eventType) > len(prefix) && strings.HasPrefix(eventType, prefix)
}

// Wants reports whether a subscription with these patterns gets events of the type: if one of them
// matches, or if there are none, which means every type that is not [Operational].
func Wants(patterns []string, eventType string) bool {
	if len(patterns) == 0 {
		return !Operational(eventType)
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return Match(p, eventType) })
}

// Patterns returns every pattern that matches the event type, the closest first: for "a/b.c" they
// are "a/b.c", "a/b.*" and "a/*". With it a store that indexes subscriptions by pattern finds the
// recipients of an event without reading every subscription. Subscriptions without patterns get it
// too, unless it is [Operational].
func Patterns(eventType string) []string {
	if Operational(eventType) {
		return []string{eventType}
	}
	ps := []string{eventType}
	for i := len(eventType) - 1; i > 0; i-- {
		if strings.IndexByte(separators, eventType[i]) >= 0 {
			ps = append(ps, eventType[:i+1]+"*")
		}
	}
	return ps
}
