package events

import (
	"fmt"
	"slices"
	"strconv"
)

// The bounds of an event's tags.
const (
	maxTags      = 16
	maxTagLength = 64 // characters, which are bytes: a tag is ASCII
)

// ValidateTag returns an *InvalidError with the field "tag" unless tag can be one of an event's
// Tags: 1 to 64 characters from A-Z, a-z, 0-9, "_", ".", ":" and "-".
func ValidateTag(tag string) error {
	if reason := labelReason(tag); reason != "" {
		return &InvalidError{Field: "tag", Reason: reason}
	}
	return nil
}

// SortedTags returns tags as they are stored: sorted and without repeats, in memory of its own; nil
// if there are none.
func SortedTags(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	sorted := slices.Clone(tags)
	slices.Sort(sorted)
	return slices.Clip(slices.Compact(sorted))
}

// validateTags checks the tags of an event.
func validateTags(tags []string) error {
	if len(tags) > maxTags {
		return &InvalidError{Field: "tags",
			Reason: fmt.Sprintf("has %d entries; give at most %d", len(tags), maxTags)}
	}
	for _, tag := range tags {
		if reason := labelReason(tag); reason != "" {
			return &InvalidError{Field: "tags", Reason: "has one that " + reason}
		}
	}
	return nil
}

// labelReason says why s is no tag; empty if it is one.
func labelReason(s string) string {
	switch {
	case s == "":
		return "is empty; give 1 to 64 characters"
	case len(s) > maxTagLength:
		return "is longer than 64 characters; shorten it"
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.',
			c == ':', c == '-':
		default:
			return "has a character outside A-Z, a-z, 0-9, _, ., : and -: " + strconv.Quote(s) +
				"; remove it"
		}
	}
	return ""
}
