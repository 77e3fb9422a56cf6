package check

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
)

// The bounds of a subscription's headers.
const (
	MaxHeaders     = 32
	MaxHeaderName  = 256  // bytes
	MaxHeaderValue = 4096 // bytes
)

// checkHeaders validates the headers of a subscription. Its error never repeats a value.
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
		case seen[canonical]:
			return invalid("has the name %q twice, in different case; keep one", name)
		case len(value) > MaxHeaderValue:
			return invalid("has a value of %d bytes for %q; at most %d are allowed",
				len(value), name, MaxHeaderValue)
		}
		if problem := send.HeaderProblem(name, value); problem != "" {
			return &events.InvalidError{Field: "headers", Reason: problem}
		}
		seen[canonical] = true
	}
	return nil
}
