package ask

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/outhook/outhook/events"
)

// Fields are the fields of a request, read by name and type. After the first wrong one, further
// ones can still be read, so that an endpoint reads all and looks at Err once.
type Fields struct {
	// Err is the error for the first wrong field, an *events.InvalidError.
	Err error

	values map[string]any // as Parse returns them
}

// New returns the fields of a request to an endpoint, which must be among those that it takes.
// values may be nil: no fields.
func New(values map[string]any, endpoint string, takes []string) *Fields {
	f := &Fields{values: values}
	// A field that is not known is an error: with "event" in place of "events", a client would get
	// a webhook for all types. They are sorted, so that the same request gets the same message.
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(takes, name) {
			f.Fail(label(name), fmt.Sprintf("is not a field of webhooks.%s; it takes %s", endpoint,
				documented(takes)))
		}
	}
	// Two spellings of one field. With both, it is unclear which key is meant.
	_, snake := values["signature_key"]
	_, camel := values["signatureKey"]
	if snake && camel {
		f.Fail("signature_key", "is given twice, once as signatureKey; give it once")
	}
	return f
}

// documented lists the fields of an endpoint for a message, without the second spelling of
// signature_key, which is only for clients that have it already.
func documented(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == "signatureKey"
	})
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Has reports whether the request has the field and it is not null.
func (f *Fields) Has(name string) bool { return f.values[name] != nil }

// Fail notes that a field is wrong, unless one before it was.
func (f *Fields) Fail(field, reason string) {
	if f.Err == nil {
		f.Err = &events.InvalidError{Field: field, Reason: reason}
	}
}

// wrong fails for a value of the wrong type.
func (f *Fields) wrong(field, want string, got any) {
	f.Fail(field, fmt.Sprintf("is %s; give %s", kind(got), want))
}

// required says what to give for each field that Required reads.
var required = map[string]string{
	"id":         "the id of a webhook",
	"webhook_id": "the id of a webhook",
	"event_id":   "the id of an event, which its deliveries have as webhook-id",
	"url":        "the address that deliveries are posted to, such as https://example.com/hook",
}

// Required reads a string that must be there and not be empty.
func (f *Fields) Required(name string) string {
	s, _ := f.Text(name)
	if s == "" {
		f.Fail(name, "is missing; give "+required[name])
	}
	return s
}

// Text reads a string; ok is false if the field is missing. As in List and Dict, null counts as an
// empty value.
func (f *Fields) Text(name string) (s string, ok bool) {
	v, ok := f.values[name]
	if v == nil {
		return "", ok
	}
	s, isString := v.(string)
	if !isString {
		f.wrong(name, "a string", v)
	}
	return s, true
}

// List reads a list of strings; ok is false if the field is missing.
func (f *Fields) List(name string) (out []string, ok bool) {
	v, ok := f.values[name]
	if v == nil {
		return nil, ok
	}
	items, isList := v.([]any)
	if !isList {
		f.wrong(name, "a list of strings", v)
	}
	for i, item := range items {
		s, isString := item.(string)
		if !isString {
			f.Fail(name, fmt.Sprintf("has %s at position %d; give a list of strings", kind(item), i+1))
			return nil, true
		}
		out = append(out, s)
	}
	return out, true
}

// Dict reads an object whose values are strings; ok is false if the field is missing.
func (f *Fields) Dict(name string) (out map[string]string, ok bool) {
	v, ok := f.values[name]
	if v == nil {
		return nil, ok
	}
	members, isObject := v.(map[string]any)
	if !isObject {
		f.wrong(name, "an object of strings", v)
	}
	out = make(map[string]string, len(members))
	for _, key := range slices.Sorted(maps.Keys(members)) {
		s, isString := members[key].(string)
		if !isString {
			f.Fail(name, fmt.Sprintf("has %s as the value of %s; give an object of strings",
				kind(members[key]), label(key)))
			return nil, true
		}
		out[key] = s
	}
	return out, true
}

// Int reads a whole number from least to most, which 1.0 and 1e2 are not; ok is false if the
// field is missing or null.
func (f *Fields) Int(name string, least, most int) (n int, ok bool) {
	v := f.values[name]
	if v == nil {
		return 0, false
	}
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	number, isNumber := v.(json.Number)
	if !isNumber {
		f.wrong(name, want, v)
		return 0, true
	}
	// Atoi of the text, and not of a float64: that would round a number of many digits to one that
	// is in bounds.
	n, err := strconv.Atoi(string(number))
	if err != nil || n < least || n > most {
		f.Fail(name, "is out of bounds; give "+want)
	}
	return n, true
}

// Bool reads a boolean. It returns missing if the field is missing or null.
func (f *Fields) Bool(name string, missing bool) bool {
	v := f.values[name]
	if v == nil {
		return missing
	}
	b, isBool := v.(bool)
	if !isBool {
		f.wrong(name, "true or false", v)
	}
	return b
}

// kind returns the JSON type of a value, with its article. A message names the type in place of the
// value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// label returns a name from a request for a message: quoted unless it is plain, and cut if it is
// long. The name is the client's, and the message may be shown in a terminal or a page, so no
// control character gets through.
func label(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	odd := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' &&
			c != '-'
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}
