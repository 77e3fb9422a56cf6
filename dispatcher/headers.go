package dispatcher

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
)

// The bounds of a subscription's headers.
const (
	MaxHeaders     = 32
	MaxHeaderName  = 256  // bytes
	MaxHeaderValue = 4096 // bytes
)

// checkHeaders says what is wrong with the headers of a subscription. It never repeats a value.
func checkHeaders(headers map[string]string) error {
	invalid := func(format string, args ...any) error {
		return &events.InvalidError{Field: "headers", Reason: fmt.Sprintf(format, args...)}
	}
	if len(headers) > MaxHeaders {
		return invalid("has %d entries; at most %d are allowed", len(headers), MaxHeaders)
	}
	seen := make(map[string]bool, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case len(name) > MaxHeaderName:
			return invalid("has a name of %d bytes; at most %d are allowed", len(name), MaxHeaderName)
		case !httpguts.ValidHeaderFieldName(name):
			return invalid("has the name %q, which HTTP does not allow; use letters, digits and hyphens", name)
		case send.IsReserved(canonical):
			return invalid("has the name %q, which belongs to the sender; use another", name)
		case seen[canonical]:
			return invalid("has the name %q twice, in different case; keep one", name)
		case len(value) > MaxHeaderValue:
			return invalid("has a value of %d bytes for %q; at most %d are allowed", len(value), name, MaxHeaderValue)
		case send.LooksSealed(value):
			return invalid("has a value for %q that begins like one that is kept encrypted; use another", name)
		case !httpguts.ValidHeaderFieldValue(value) || !utf8.ValidString(value) || strings.Trim(value, " \t") != value:
			return invalid("has a value for %q that HTTP does not allow; no control characters, no blank at either end, UTF-8", name)
		}
		seen[canonical] = true
	}
	return nil
}
