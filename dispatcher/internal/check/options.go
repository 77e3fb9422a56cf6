package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// maxConcurrency is far more than a process can do at once, and far less than what a store takes as
// a limit.
const maxConcurrency = 1 << 20

// Limits says what is wrong with how many attempts may run at once.
func Limits(concurrency, perSubscription, perTenant, perHost int) (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	if concurrency < 1 || concurrency > maxConcurrency {
		bad(true, "Concurrency is %d; it must be from 1 to %d", concurrency, maxConcurrency)
		concurrency = maxConcurrency // so that one mistake is one error, and not one of each bound
	}
	for _, l := range [...]struct {
		name      string
		limit     int
		least     int
		unlimited string
	}{
		{"PerSubscription", perSubscription, 1, ""},
		{"PerTenant", perTenant, 1, ""},
		{"PerHost", perHost, 0, ", or 0 for no bound"},
	} {
		bad(l.limit < l.least || l.limit > concurrency,
			"%s is %d; it must be from 1 to Concurrency, which is %d%s", l.name, l.limit, concurrency,
			l.unlimited)
	}
	return errs
}

// Retention says what is wrong with how long deliveries are kept.
func Retention(delivered, failed time.Duration) (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	for _, r := range [...]struct {
		name string
		keep time.Duration
	}{{"Retention", delivered}, {"FailedRetention", failed}} {
		bad(r.keep > store.MaxDuration, "%s is %v; it must be at most %v, or negative to keep for ever",
			r.name, r.keep, store.MaxDuration)
	}
	return errs
}

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
		for _, part := range [...]struct {
			name, text string
			most       int
		}{{"Version", t.Version, MaxTypeVersion}, {"Deprecated", t.Deprecated, MaxDeprecated}} {
			bad(utf8.RuneCountInString(part.text) > part.most,
				"EventTypes[%d].%s of %q is longer than %d characters; shorten it", i, part.name, t.Name,
				part.most)
			bad(!utf8.ValidString(part.text) || strings.ContainsFunc(part.text, unicode.IsControl),
				"EventTypes[%d].%s of %q has a control character or is not UTF-8; remove it", i,
				part.name, t.Name)
		}
		seen[t.Name] = true
	}
	return errs
}

// MaxMinSecret is the length of a generated key, which must never be too short.
const MaxMinSecret = 32

// Sizes says what is wrong with how many bytes payloads, answers and keys may have.
func Sizes(maxPayload, maxResponse, minSecret int) (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	bad(maxPayload < 1, "MaxPayload is %d; it must be positive", maxPayload)
	bad(maxResponse > store.MaxResponse, "MaxResponse is %d; it must be at most %d",
		maxResponse, store.MaxResponse)
	bad(minSecret < 1 || minSecret > MaxMinSecret,
		"MinSecret is %d; it must be from 1 to %d", minSecret, MaxMinSecret)
	return errs
}

// Network says what is wrong with how requests are sent: what has no effect beside a transport of
// the host's, or a proxy, and what is wrong with the proxy.
func Network(transport, tls, disableHTTP2 bool, proxy *url.URL) (errs []error) {
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New("dispatcher: Options."+text))
		}
	}
	bad(transport && proxy != nil, "Proxy has no effect beside Transport; set it there")
	bad(transport && tls, "TLS has no effect beside Transport; set it there")
	bad(transport && disableHTTP2, "DisableHTTP2 has no effect beside Transport; set it there")
	bad(proxy != nil && disableHTTP2,
		"DisableHTTP2 has no effect beside Proxy, through which all speak HTTP/1.1; remove it")
	return append(errs, checkProxy(proxy))
}

// checkProxy says what is wrong with a proxy. Its error has no user name or password.
func checkProxy(u *url.URL) error {
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
