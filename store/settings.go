package store

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/outhook/outhook/events/filter"
)

// The bounds of what the owner of a subscription says of it.
const (
	MaxDescription   = 1024 // characters
	MaxMetadata      = 32   // entries
	MaxMetadataKey   = 64   // characters of a key, from A-Z, a-z, 0-9, "_", "." and "-"
	MaxMetadataValue = 512  // bytes of a value, which is UTF-8 without control characters
	maxRate          = 1e6  // attempts a second: no bound in practice
)

// Validate returns an [events.InvalidError] for the first field of s that is out of its bounds:
// description, metadata, filter, fields and timeout as their comments say, rate and allowed_rate
// from 0 to a million, overlap_until and verified_at zero or in the years 1 to 9999. Whether the
// rest makes sense is for the caller of a store to see: a store keeps what it is given.
func (s *Subscription) Validate() error {
	for _, validate := range [...]func() error{
		s.validateDescription, s.validateMetadata, s.validateFilter, s.validateFields,
	} {
		if err := validate(); err != nil {
			return err
		}
	}
	if !(s.Rate >= 0 && s.Rate <= maxRate) { // NaN is neither
		return invalid("rate", "is %v; give attempts a second up to %d, or 0 for the host's rate",
			s.Rate, int(maxRate))
	}
	if !(s.AllowedRate >= 0 && s.AllowedRate <= maxRate) {
		return invalid("allowed_rate", "is %v; give attempts a second up to %d, or 0 for any number",
			s.AllowedRate, int(maxRate))
	}
	if err := validDuration("timeout", s.Timeout, "for the host's timeout"); err != nil {
		return err
	}
	if err := validTime("overlap_until", s.OverlapUntil); err != nil {
		return err
	}
	return validTime("verified_at", s.VerifiedAt)
}

func (s *Subscription) validateDescription() error {
	switch {
	case !utf8.ValidString(s.Description):
		return invalid("description", "is not valid UTF-8; encode it as UTF-8")
	case strings.ContainsRune(s.Description, 0):
		return invalid("description", "has a NUL character; remove it")
	}
	if n := utf8.RuneCountInString(s.Description); n > MaxDescription {
		return invalid("description", "has %d characters; give at most %d", n, MaxDescription)
	}
	return nil
}

func (s *Subscription) validateMetadata() error { return validMetadata(s.Metadata) }

func validMetadata(metadata map[string]string) error {
	if n := len(metadata); n > MaxMetadata {
		return invalid("metadata", "has %d entries; give at most %d", n, MaxMetadata)
	}
	// In order, so that the same mistake gets the same message.
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if problem := metadataKeyProblem(key); problem != "" {
			return invalid("metadata", "%s", problem)
		}
		switch value := metadata[key]; {
		case len(value) > MaxMetadataValue:
			return invalid("metadata", "has %d bytes for %s; give at most %d", len(value), key,
				MaxMetadataValue)
		case !utf8.ValidString(value):
			return invalid("metadata", "has a value for %s that is not valid UTF-8; encode it as UTF-8",
				key)
		case strings.ContainsFunc(value, unicode.IsControl):
			return invalid("metadata", "has a control character in the value for %s; remove it", key)
		}
	}
	return nil
}

// metadataKeyProblem says what is wrong with a key of Metadata; empty if nothing is.
func metadataKeyProblem(key string) string {
	switch {
	case key == "":
		return "has an empty key; give 1 to 64 characters"
	case len(key) > MaxMetadataKey:
		return "has a key that is longer than 64 characters; shorten it"
	}
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.',
			c == '-':
		default:
			return "has a key with a character outside A-Z, a-z, 0-9, _, . and -; remove it"
		}
	}
	return ""
}

// validateFilter checks the bounds alone: whether it parses is for the dispatcher to see, and one
// that does not takes nothing.
func (s *Subscription) validateFilter() error {
	switch {
	case len(s.Filter) > filter.MaxBytes:
		return invalid("filter", "has %d bytes; give at most %d", len(s.Filter), filter.MaxBytes)
	case !utf8.ValidString(s.Filter):
		return invalid("filter", "is not valid UTF-8; encode it as UTF-8")
	case strings.ContainsRune(s.Filter, 0):
		return invalid("filter", "has a NUL character; remove it")
	}
	return nil
}

func (s *Subscription) validateFields() error {
	if len(s.Fields) == 0 {
		return nil
	}
	_, err := filter.ParseFields(s.Fields)
	return err
}
