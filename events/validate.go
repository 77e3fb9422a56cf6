package events

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxIDLen   = 128 // characters
	maxNameLen = 256 // bytes: tenant and key
)

// lastSecond is the last second of the year 9999, in seconds since 1970.
const lastSecond = 253402300799

// Validate returns an *InvalidError for the first field that breaks its rule (see Event), or nil.
// The fields are called id, type, tenant, key, time, trace, tags, not_before, expires_at and
// payload.
//
// It does not bound the payload's size: the dispatcher does, by its MaxPayload.
func (e Event) Validate() error {
	if err := e.validateHead(); err != nil {
		return err
	}
	return validatePayload(e.Payload)
}

// validateHead checks every field but the payload.
func (e Event) validateHead() error {
	invalid := func(field, reason string) error { return &InvalidError{Field: field, Reason: reason} }
	switch {
	case e.ID == "":
		return invalid("id", "is empty; give the event an id of its own, or make it with events.New")
	case len(e.ID) > maxIDLen:
		return invalid("id", "is longer than 128 characters; shorten it")
	case !isWord(e.ID):
		return invalid("id", "has a character outside A-Z, a-z, 0-9, _ and -; remove it")
	}
	if err := ValidateType(e.Type); err != nil {
		return err
	}
	if err := ValidateTenant(e.Tenant); err != nil {
		return err
	}
	if err := ValidateKey(e.Key); err != nil {
		return err
	}
	if reason := timeReason(e.Time); reason != "" {
		return invalid("time", reason)
	}
	if err := ValidateTrace(e.Trace); err != nil {
		return err
	}
	if err := validateTags(e.Tags); err != nil {
		return err
	}
	return e.validateWindow()
}

// ValidateTrace returns an *InvalidError with the field "trace" unless trace can be an event's
// Trace: a traceparent of W3C Trace Context, version 00; empty will do.
func ValidateTrace(trace string) error {
	if trace == "" || isTrace(trace) {
		return nil
	}
	return &InvalidError{Field: "trace", Reason: "is no traceparent of W3C Trace Context, such as " +
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01; leave it empty"}
}

// isTrace reports whether s is a traceparent of version 00: 2, 32, 16 and 2 lowercase hexadecimal
// digits, separated by hyphens, where neither the second nor the third group is all zeros.
func isTrace(s string) bool {
	const form = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh"
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if form[i] != 'h' && form[i] != c || form[i] == 'h' && (c < '0' || c > '9') &&
			(c < 'a' || c > 'f') {
			return false
		}
	}
	return strings.Trim(s[3:35], "0") != "" && strings.Trim(s[36:52], "0") != ""
}

// ValidateTenant returns an *InvalidError with the field "tenant" unless tenant can be an event's
// or a subscription's tenant: at most 256 bytes of UTF-8 without control characters; empty will do.
func ValidateTenant(tenant string) error {
	if reason := nameReason(tenant); reason != "" {
		return &InvalidError{Field: "tenant", Reason: reason}
	}
	return nil
}

// ValidateKey returns an *InvalidError with the field "key" unless key can be an event's Key: at
// most 256 bytes of UTF-8 without control characters; empty will do.
func ValidateKey(key string) error {
	if reason := nameReason(key); reason != "" {
		return &InvalidError{Field: "key", Reason: reason}
	}
	return nil
}

// nameReason says why s can be neither tenant nor key; "" when it can.
func nameReason(s string) string {
	switch {
	case len(s) > maxNameLen:
		return "is longer than 256 bytes; shorten it"
	case !utf8.ValidString(s):
		return "is not valid UTF-8; encode it as UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "has a control character; remove it"
	}
	return ""
}

// timeReason says why t can't be sent; "" when it can.
func timeReason(t time.Time) string {
	switch sec := t.Unix(); {
	case t.IsZero():
		return "is not set; give the time the event happened"
	case sec < 0:
		return "is before 1970; give the time the event happened"
	case sec > lastSecond:
		return "is after the year 9999; give the time the event happened"
	}
	return ""
}
