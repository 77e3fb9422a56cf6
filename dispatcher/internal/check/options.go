package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/outhook/outhook/events"
)

// EventTypes says what is wrong with the types that a host publishes.
func EventTypes(types []events.Type) (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	seen := make(map[string]bool)
	for i, t := range types {
		if err := events.ValidateType(t.Name); err != nil {
			errs = append(errs, fmt.Errorf("dispatcher: Options.EventTypes[%d]: %w", i, err))
		}
		bad(seen[t.Name], "EventTypes[%d] repeats %q; name each type once", i, t.Name)
		for _, part := range [...]struct {
			name string
			text json.RawMessage
		}{{"Schema", t.Schema}, {"Example", t.Example}} {
			bad(part.text != nil && !json.Valid(part.text),
				"EventTypes[%d].%s of %q is not JSON; correct it, or leave it nil", i, part.name, t.Name)
		}
		seen[t.Name] = true
	}
	return errs
}

// Proxy says what is wrong with Options.Proxy. Its error has no user name or password.
func Proxy(u *url.URL) error {
	if u == nil {
		return nil
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return fmt.Errorf(
			"dispatcher: Options.Proxy has the scheme %q; it must be http, https or socks5",
			u.Scheme,
		)
	}
	if u.Host == "" {
		return errors.New("dispatcher: Options.Proxy has no host; write it like " +
			"http://proxy.example:3128")
	}
	return nil
}
