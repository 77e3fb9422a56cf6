package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// marshal is json.Marshal without HTML escaping: a body is no HTML, and & is easier to read than
// \u0026.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// marshalPayload returns v as JSON in memory of its own. The error is an *InvalidError.
func marshalPayload(v any) (raw json.RawMessage, err error) {
	defer recoverPayload(&err)
	switch v := v.(type) {
	case nil:
		return nil, errNoPayload()
	case json.RawMessage:
		return bytes.Clone(v), validatePayload(v)
	}
	raw, err = marshal(v)
	if err != nil {
		return nil, invalidPayload("can't be marshalled: " + err.Error())
	}
	return raw, validateText(raw) // a MarshalJSON may have written invalid UTF-8
}

// payloadType is p.EventType() for a p that may be nil or broken.
func payloadType(p Payload) (name string, err error) {
	defer recoverPayload(&err)
	if v := reflect.ValueOf(p); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return "", invalidPayload("is nil; give a value")
	}
	return p.EventType(), nil
}

// recoverPayload, deferred around a host's methods, turns their panic into an error.
func recoverPayload(err *error) {
	if p := recover(); p != nil {
		*err = invalidPayload(fmt.Sprintf("panicked while it was marshalled: %v", p))
	}
}

// validatePayload returns an *InvalidError unless p is one JSON value in UTF-8.
func validatePayload(p json.RawMessage) error {
	if err := validateText(p); err != nil {
		return err
	}
	if _, ok := scanJSON(p); !ok {
		return syntaxError(p)
	}
	return nil
}

// validateText checks what a JSON parser doesn't: that there is a text, and that it is UTF-8.
func validateText(p json.RawMessage) error {
	switch {
	case len(p) == 0:
		return errNoPayload()
	case !utf8.Valid(p):
		return invalidPayload("is not valid UTF-8; encode its text as UTF-8")
	}
	return nil
}

// syntaxError says what is wrong with p, which is not valid JSON. The scanner of this package only
// says that something is, so encoding/json looks once more.
func syntaxError(p json.RawMessage) error {
	err := json.Unmarshal(p, new(json.RawMessage))
	reason := fmt.Sprintf("is not one JSON value: %v", err)
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		reason += fmt.Sprintf(" (byte %d)", syntax.Offset)
	}
	return invalidPayload(reason)
}

// errNoPayload is about an empty payload, which is no JSON value.
func errNoPayload() error {
	return invalidPayload(`is missing; give one JSON value, json.RawMessage("null") for null`)
}

// invalidPayload is the error for a payload.
func invalidPayload(reason string) error { return &InvalidError{Field: "payload", Reason: reason} }
