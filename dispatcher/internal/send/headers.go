package send

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The names of the headers of a delivery, as http.Header has them.
var (
	headerID        = http.CanonicalHeaderKey(signing.HeaderID)
	headerTimestamp = http.CanonicalHeaderKey(signing.HeaderTimestamp)
	headerAttempt   = http.CanonicalHeaderKey(signing.HeaderAttempt)
	headerAiry      = http.CanonicalHeaderKey(signing.HeaderAiry)
	headerSignature = http.CanonicalHeaderKey(signing.HeaderSignature)
)

// HeaderRequestOrigin names the sender to an endpoint: HTTP 1.1 Web Hooks for Event Delivery (of
// CloudEvents 1.0.2), 4.1.2.
const HeaderRequestOrigin = "Webhook-Request-Origin"

// HeaderRequestCallback has the URL by which the endpoint can agree later (4.1.1 there). The key in
// its query lets anybody who has it agree in the endpoint's name, so the owner of a subscription
// never sees it.
const HeaderRequestCallback = "Webhook-Request-Callback"

// callbackKey is the name of that key in the query.
const callbackKey = "key"

// reserved are the header names that belong to the sender, in canonical form. reservedPrefixes are
// families of them. Some are the delivery's own, some would change how the request is framed
// (Content-Length, Connection, Transfer-Encoding), and Idempotency-Key and X-Idempotency-Key would
// let net/http send a POST again on its own.
var (
	reserved = map[string]bool{
		"Accept-Encoding": true, "Connection": true, "Content-Encoding": true, "Content-Length": true,
		"Content-Type": true, "Date": true, "Expect": true, "Host": true, "Idempotency-Key": true,
		"Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
		"X-Idempotency-Key": true,
	}
	reservedPrefixes = [...]string{"Proxy-", "Sec-", "Webhook-", "X-Airy-"}
)

// IsReserved reports whether a header belongs to the sender, so that neither a subscription nor a
// hook may set it.
func IsReserved(name string) bool {
	canonical := http.CanonicalHeaderKey(name)
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(canonical, p) {
			return true
		}
	}
	return reserved[canonical]
}

// ownHeaders is how many headers of a delivery are the sender's, apart from a trace and an origin.
const ownHeaders = 7

// HeaderProblem says why a subscription may not have a header; "" if it may. The text follows the
// name of a field, and never repeats the value.
func HeaderProblem(name, value string) string {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return fmt.Sprintf(
			"has the name %q, which HTTP does not allow; use letters, digits and hyphens", name)
	case IsReserved(name):
		return fmt.Sprintf("has the name %q, which belongs to the sender; use another", name)
	case !httpguts.ValidHeaderFieldValue(value) || !utf8.ValidString(value) ||
		strings.Trim(value, " \t") != value:
		return fmt.Sprintf("has a value for %q that HTTP does not allow; give UTF-8 without control "+
			"characters and without a blank at either end", name)
	}
	return ""
}

// checkStoredHeaders refuses headers of a subscription that Subscribe would not have stored. Its
// error is a storedHeaderError.
func checkStoredHeaders(headers map[string]string) error {
	odd := false
	for name, value := range headers {
		if HeaderProblem(name, value) != "" {
			return &storedHeaderError{name}
		}
		odd = odd || http.CanonicalHeaderKey(name) != name
	}
	if !odd { // as nearly always: then no two can be the same
		return nil
	}
	seen := make(map[string]bool, len(headers))
	for name := range headers {
		canonical := http.CanonicalHeaderKey(name)
		if seen[canonical] { // which of both is sent would be a matter of chance
			return &storedHeaderError{canonical}
		}
		seen[canonical] = true
	}
	return nil
}

// storedHeaderError says that a header of a subscription is not one that may be sent.
type storedHeaderError struct{ name string }

func (e *storedHeaderError) Error() string { return "send: a stored header may not be sent" }

// words says which header it is. What a store holds may be of any length.
func (e *storedHeaderError) words() string {
	name := e.name[:min(len(e.name), maxNamed)]
	return fmt.Sprintf("the stored header %q is not one that may be sent", name)
}

// maxNamed is how many bytes of a header's name an error has.
const maxNamed = 64

// header returns the headers of an attempt. The time is that of the attempt and not of the event:
// receivers refuse signatures that are minutes old, and a retry may be days later.
func (s *Sender) header(c *store.Claim, m *message) http.Header {
	sub := c.Subscription
	n := ownHeaders + len(sub.Headers)
	// Counted to the last: with eight, as most have, the map is one piece of memory, and with room
	// for more it is four.
	if m.trace != "" {
		n++
	}
	if s.origin != "" {
		n++
	}
	h := make(http.Header, n)
	// One piece of memory has the values of all. Each is a slice without room to grow, so that
	// appending to one header cannot overwrite the next.
	values := make([]string, 0, n)
	set := func(canonical, value string) {
		values = append(values, value)
		h[canonical] = values[len(values)-1 : len(values) : len(values)]
	}
	set("User-Agent", s.userAgent)
	if m.trace != "" {
		set("Traceparent", m.trace)
	}
	if m.header == nil {
		for name, value := range sub.Headers {
			set(http.CanonicalHeaderKey(name), value)
		}
	}
	// Each in place of what those before it have under that name: a signature must stand.
	for _, more := range [...]http.Header{m.header, m.auth, m.signed} {
		for name, values := range more {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	// The sender's own come last, so that nothing that is stored can replace them.
	m.setAttributes(h)
	set("Content-Type", m.Type)
	set(headerID, c.EventID)
	set(headerTimestamp, strconv.FormatInt(m.at.Unix(), 10))
	set(headerAttempt, strconv.Itoa(c.Attempt))
	if s.origin != "" { // as CloudEvents has it, once the endpoint has agreed to that origin
		set(HeaderRequestOrigin, s.origin)
	}
	if keys := sub.Keys(m.at); len(keys) > 0 {
		by := s.signers.of(sub, keys)
		symmetric, pair := by.Kinds()
		if !s.noAiry && symmetric {
			set(headerAiry, by.Airy(m.Body))
		}
		// A pair signs webhook-signature wherever there is one, so that no delivery of a subscription
		// with a key goes out unsigned; and then so do the others, because a receiver that finds
		// webhook-signature looks at nothing else.
		if !s.noStandard || pair {
			set(headerSignature, by.Standard(c.EventID, m.at, m.Body))
		}
	}
	return h
}

// attributePrefix begins the names of the headers that are attributes of a CloudEvent.
const attributePrefix = "Ce-"

// setAttributes sets the headers that make a message a CloudEvent of binary mode. A receiver takes
// every other header with the prefix for one more attribute, so there is none.
func (m *message) setAttributes(h http.Header) {
	if m.Attributes == nil {
		return
	}
	for name := range h {
		if strings.HasPrefix(name, attributePrefix) {
			delete(h, name)
		}
	}
	maps.Copy(h, m.Attributes)
}
