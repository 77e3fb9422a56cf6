package cloudevents

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
)

// Mode is how a CloudEvent is put into an HTTP request.
type Mode int

const (
	// Off is no CloudEvent: the body that events.Event.Body makes.
	Off Mode = iota
	// Structured has the whole event in the body, as application/cloudevents+json.
	Structured
	// Binary has the payload alone in the body and the attributes in headers that start with ce-.
	Binary

	modeEnd // one more than the last
)

// The bounds of a Format.
const (
	MaxSource         = 2048 // bytes
	MaxExtensions     = 16
	MaxExtensionName  = 20   // characters, as the specification recommends
	MaxExtensionValue = 1024 // bytes
)

// Format says how events become CloudEvents. The zero value is Off.
type Format struct {
	Mode Mode

	// Source is the context in which events happen, a URI reference such as
	// "https://shop.example/orders" or "/orders". It is required where Mode is not Off.
	Source string

	// Extensions are further attributes. A name has 1 to 20 of a-z and 0-9, and is not that of an
	// attribute that CloudEvents define. A value is text without control characters; one that is
	// empty is left out.
	Extensions map[string]string
}

// defined are the names that an extension may not have.
var defined = map[string]bool{
	"specversion": true, "id": true, "source": true, "type": true, "time": true, "subject": true,
	"datacontenttype": true, "dataschema": true, "data": true,
}

// Validate returns an *events.InvalidError if f can't be used. It repeats no value.
func (f *Format) Validate() error {
	invalid := func(field, reason string, args ...any) error {
		return &events.InvalidError{Field: field, Reason: fmt.Sprintf(reason, args...)}
	}
	switch {
	case f.Mode < 0 || f.Mode >= modeEnd:
		return invalid("Mode", "is %d; give Off, Structured or Binary", f.Mode)
	case f.Mode == Off:
		return nil
	case f.Source == "":
		return invalid("Source", "is empty; give a URI reference, such as https://shop.example/orders")
	case len(f.Source) > MaxSource:
		return invalid("Source", "has %d bytes; at most %d are allowed", len(f.Source), MaxSource)
	case !isURIReference(f.Source):
		return invalid("Source", "is no URI reference; percent-encode what a URI may not hold")
	case len(f.Extensions) > MaxExtensions:
		return invalid("Extensions", "has %d entries; at most %d are allowed", len(f.Extensions),
			MaxExtensions)
	}
	for name, value := range f.Extensions {
		switch {
		case !isAttributeName(name):
			return invalid("Extensions", "has the name %q; use 1 to %d of a-z and 0-9", name,
				MaxExtensionName)
		case defined[name]:
			return invalid("Extensions", "has the name %q, which CloudEvents define; use another", name)
		case len(value) > MaxExtensionValue:
			return invalid("Extensions", "has a value for %q of %d bytes; at most %d are allowed", name,
				len(value), MaxExtensionValue)
		case !isText(value):
			return invalid("Extensions", "has a value for %q that is no text of Unicode; remove control "+
				"characters and what is not UTF-8", name)
		}
	}
	return nil
}

// isURIReference reports whether s is one of RFC 3986, which has ASCII alone.
func isURIReference(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"<>\\^`{|}", s[i]) >= 0 {
			return false
		}
	}
	_, err := url.Parse(s)
	return err == nil
}

func isAttributeName(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && len(s) <= MaxExtensionName
}

// isText reports whether s is a String of CloudEvents ("Type System").
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, isForbidden)
}

// isForbidden reports whether a String of CloudEvents can't have a character: the control
// characters and the noncharacters of Unicode.
func isForbidden(c rune) bool {
	return unicode.IsControl(c) || c >= 0xfdd0 && c <= 0xfdef || c&0xfffe == 0xfffe
}

// SchemaURI returns the $id of a JSON Schema if it is an absolute URI, which is what a dataschema
// must be; "" if it is not.
func SchemaURI(schema json.RawMessage) string {
	var head struct {
		ID string `json:"$id"`
	}
	if json.Unmarshal(schema, &head) != nil || !isURIReference(head.ID) {
		return ""
	}
	if u, err := url.Parse(head.ID); err != nil || !u.IsAbs() {
		return ""
	}
	return head.ID
}
