package events

import (
	"slices"
	"strconv"
	"strings"
)

// family is how a pattern for a whole family of event types ends.
const family = ".*"

// ValidatePattern returns an *InvalidError with the field "events" unless p is a valid pattern: an
// event type (see ValidateType), or an event type followed by ".*", which matches the family below
// it. At most 128 characters. A lone "*" is refused, because an empty list of patterns already
// means every type.
func ValidatePattern(p string) error {
	reason := ""
	switch prefix, isFamily := strings.CutSuffix(p, family); {
	case len(p) > maxTypeLen:
		reason = "has a name longer than 128 characters; shorten it"
	case p == "":
		reason = "has an empty name; leave it out, or leave the whole list empty to get every type"
	case p == "*":
		reason = `has "*"; leave the list empty to get every type`
	case isFamily && typeReason(prefix) == "":
	case !isFamily && typeReason(p) == "":
	case strings.Contains(p, "*"):
		reason = "has " + strconv.Quote(p) + "; a star may only end a name, after a dot: message.*"
	default:
		reason = "has " + strconv.Quote(p) +
			"; write dotted names of A-Z, a-z, 0-9, _ and -, such as message.created"
	}
	if reason == "" {
		return nil
	}
	return &InvalidError{Field: "events", Reason: reason}
}

// Match reports whether the pattern matches the type: "message.created" matches only itself,
// "message.*" matches "message.created" and "message.a.b", but neither "message" nor "messages.x".
// Case matters. Operational types are matched by their own name only. Both arguments must be valid.
func Match(pattern, eventType string) bool {
	prefix, isFamily := strings.CutSuffix(pattern, family)
	if !isFamily || Operational(eventType) {
		return pattern == eventType
	}
	rest, below := strings.CutPrefix(eventType, prefix)
	return below && len(rest) > 1 && rest[0] == '.'
}

// Wants reports whether a subscription with these patterns gets events of the type: if one of them
// matches, or if there are none, which means every type that is not [Operational].
func Wants(patterns []string, eventType string) bool {
	if len(patterns) == 0 {
		return !Operational(eventType)
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return Match(p, eventType) })
}

// Patterns returns every pattern that matches the event type, the closest first: for "a.b.c" they
// are "a.b.c", "a.b.*" and "a.*". With it a store that indexes subscriptions by pattern finds the
// recipients of an event without reading every subscription. Subscriptions without patterns get it
// too, unless it is [Operational].
func Patterns(eventType string) []string {
	if Operational(eventType) {
		return []string{eventType}
	}
	ps := make([]string, 1, 1+strings.Count(eventType, "."))
	ps[0] = eventType
	for i := strings.LastIndexByte(eventType, '.'); i > 0; i = strings.LastIndexByte(eventType[:i],
		'.') {
		ps = append(ps, eventType[:i]+family)
	}
	return ps
}
