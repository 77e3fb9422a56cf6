package cloudevents

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
)

// ContentType is that of a body in structured mode.
const ContentType = "application/cloudevents+json; charset=utf-8"

const specVersion = "1.0"

// Message is what is sent of an event.
type Message struct {
	ContentType string
	Header      http.Header // of binary mode, in canonical form; nil in structured mode
	Body        []byte
}

// Encode writes an event, which must be valid, and so must f be: see Validate of both. dataSchema
// is the URI of the schema of its payload; "" if there is none. The body shares the memory of the
// payload in binary mode.
func (f *Format) Encode(e *events.Event, dataSchema string) Message {
	attributes := f.attributes(e, dataSchema)
	if f.Mode == Binary {
		h := make(http.Header, len(attributes))
		for _, a := range attributes {
			h[http.CanonicalHeaderKey("ce-"+a.name)] = []string{headerValue(a.value)}
		}
		return Message{ContentType: "application/json", Header: h, Body: e.Payload}
	}
	body := make([]byte, 0, 64+64*len(attributes)+len(e.Payload))
	for i, a := range attributes {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		body = append(append(append(body, separator, '"'), a.name...), `":`...)
		body = append(body, quote(a.value)...)
	}
	body = append(body, `,"datacontenttype":"application/json","data":`...)
	body = append(append(body, e.Payload...), '}')
	return Message{ContentType: ContentType, Body: body}
}

// attribute is one with its value as text.
type attribute struct{ name, value string }

// attributes returns those of an event that have a value, always in the same order: every attempt
// sends the same body.
func (f *Format) attributes(e *events.Event, dataSchema string) []attribute {
	all := append(make([]attribute, 0, 7+len(f.Extensions)),
		attribute{"specversion", specVersion}, attribute{"id", e.ID},
		attribute{"source", f.Source}, attribute{"type", e.Type},
		attribute{"time", e.Time.UTC().Format("2006-01-02T15:04:05.000Z")},
		attribute{"subject", cleaned(e.Key)}, attribute{"dataschema", dataSchema})
	for _, name := range slices.Sorted(maps.Keys(f.Extensions)) {
		all = append(all, attribute{name, f.Extensions[name]})
	}
	return slices.DeleteFunc(all, func(a attribute) bool { return a.value == "" })
}

// cleaned returns a text with what a String of CloudEvents can't have replaced.
func cleaned(s string) string {
	return strings.Map(func(c rune) rune {
		if isForbidden(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

// quote returns a text as JSON. Like the rest of a body it has no escapes for HTML.
func quote(s string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("cloudevents: a text can't be marshalled: " + err.Error()) // any text can
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// headerValue returns a value as it stands in a header: blanks, double quotes, percent signs and
// what is not printable ASCII are percent-encoded (HTTP binding, 3.1.3.2).
func headerValue(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
