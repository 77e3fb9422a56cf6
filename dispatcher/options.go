package dispatcher

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/events"
)

// The defaults of Options.
const (
	DefaultConcurrency     = 256
	DefaultPerSubscription = 16
	DefaultTimeout         = 15 * time.Second
	DefaultDrainTimeout    = 30 * time.Second
	DefaultDisableAfter    = 5 * 24 * time.Hour
	DefaultRetention       = 72 * time.Hour
	DefaultFailedRetention = 30 * 24 * time.Hour
	DefaultMaxPayload      = 1 << 20
)

// Version is outhook's own. It stands in the default User-Agent.
const Version = "0.1.0"

// leaseSlack is what a lease lasts beyond the Timeout of the attempt that it is for: time to start the attempt and to
// record its outcome.
const leaseSlack = 15 * time.Second

// Options configure a Dispatcher. New copies them; the zero value of each field means its default.
type Options struct {
	// Concurrency is how many attempts run at once. It bounds the memory and the goroutines of Run. If zero,
	// DefaultConcurrency.
	Concurrency int

	// PerSubscription is how many attempts of one subscription run at once. If zero, DefaultPerSubscription, or
	// Concurrency where that is less.
	PerSubscription int

	// Timeout bounds one attempt from dialing to the last byte of the answer. If zero, DefaultTimeout.
	Timeout time.Duration

	// DrainTimeout is how long Run lets running attempts finish once its context has ended. Those that take longer are
	// cut off and given back uncounted. If zero, DefaultDrainTimeout; if negative, none are waited for.
	DrainTimeout time.Duration

	// Retention is how long a delivered delivery stays in the history. If zero, DefaultRetention; if negative, for ever.
	Retention time.Duration

	// FailedRetention is how long a dead or canceled delivery stays in the history, and can be replayed. If zero,
	// DefaultFailedRetention; if negative, for ever.
	FailedRetention time.Duration

	// DisableAfter is how long a subscription may do nothing but fail before it is unsubscribed with a DisabledReason. A
	// gap between two failures counts as a day at most, so downtime of the host does not disable anybody. If zero,
	// DefaultDisableAfter; if negative, never.
	DisableAfter time.Duration

	// Backoff is when a failed delivery is tried again. If zero, the defaults of its fields.
	Backoff Backoff

	// Success says which HTTP statuses mean that the receiver took the delivery. It must be safe for concurrent use. If
	// nil, only 200 does, as Airy documents it; Any2xx is the usual alternative.
	Success func(status int) bool

	// EventTypes are the types that the host publishes. When there are any, Publish and Subscribe refuse others. If
	// empty, every well-formed type is taken.
	EventTypes []events.Type

	// RequireHTTPS refuses subscriptions with an http URL. It does not touch those that exist.
	RequireHTTPS bool

	// AllowPrefixes are addresses that deliveries may go to although the built-in list denies them, such as a host's
	// own network, or loopback in a test. DenyPrefixes are denied whatever else says; they come first. Both hold for the
	// address that is really dialed. See the package comment for the built-in list.
	AllowPrefixes, DenyPrefixes []netip.Prefix

	// Transport sends the requests. With one of your own, the address guard, the response limits and Proxy are yours to
	// see to; redirects are still not followed and the Timeout still holds. If nil, a guarded http.Transport.
	Transport http.RoundTripper

	// Proxy is the http, https or socks5 proxy for every delivery. The guard then cannot see the endpoint's address: the proxy
	// must. Proxies named in the environment are never used. If nil, none.
	Proxy *url.URL

	// UserAgent is the User-Agent of deliveries whose subscription does not set its own. If empty, "outhook/" and Version.
	UserAgent string

	// MaxPayload is how many bytes an event's Payload may have. If zero, DefaultMaxPayload.
	MaxPayload int

	// Logger gets a Debug record per attempt, a Warn per failed one, and an Error for trouble of the dispatcher's own or
	// its store's; never a body, a query string, a header value or a secret. If nil, slog.Default().
	Logger *slog.Logger

	// Observer is told what happens. If nil, nobody is.
	Observer *Observer
}

// Any2xx is an Options.Success that takes every status from 200 to 299.
func Any2xx(status int) bool { return status >= 200 && status <= 299 }

func only200(status int) bool { return status == http.StatusOK }

// withDefaults returns a copy of o in which nothing is left to default.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	setDefault(&c.Concurrency, DefaultConcurrency)
	setDefault(&c.PerSubscription, min(DefaultPerSubscription, max(c.Concurrency, 1)))
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.DrainTimeout, DefaultDrainTimeout)
	setDefault(&c.Retention, DefaultRetention)
	setDefault(&c.FailedRetention, DefaultFailedRetention)
	setDefault(&c.DisableAfter, DefaultDisableAfter)
	setDefault(&c.MaxPayload, DefaultMaxPayload)
	setDefault(&c.UserAgent, "outhook/"+Version)
	c.Backoff = c.Backoff.withDefaults()
	if c.Success == nil {
		c.Success = only200
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Observer == nil {
		c.Observer = &Observer{}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports what is wrong with options whose defaults are set.
func (o *Options) validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	bad(o.Concurrency < 1, "Concurrency is %d; it must be at least 1", o.Concurrency)
	bad(o.PerSubscription < 1 || o.PerSubscription > o.Concurrency,
		"PerSubscription is %d; it must be from 1 to Concurrency, which is %d", o.PerSubscription, o.Concurrency)
	bad(o.Timeout <= 0 || o.Timeout > time.Hour, "Timeout is %v; it must be positive, and an hour at most", o.Timeout)
	bad(o.MaxPayload < 1, "MaxPayload is %d; it must be positive", o.MaxPayload)
	bad(!httpguts.ValidHeaderFieldValue(o.UserAgent), "UserAgent holds a character that no header may hold")
	bad(o.Transport != nil && o.Proxy != nil, "Proxy has no effect beside Transport; set it there")
	for _, p := range [...]struct {
		name     string
		prefixes []netip.Prefix
	}{{"AllowPrefixes", o.AllowPrefixes}, {"DenyPrefixes", o.DenyPrefixes}} {
		for i, prefix := range p.prefixes {
			bad(!prefix.IsValid(), "%s[%d] is not a valid prefix; make it with netip.MustParsePrefix", p.name, i)
		}
	}
	seen := make(map[string]bool)
	for i, t := range o.EventTypes {
		if err := events.ValidateType(t.Name); err != nil {
			errs = append(errs, fmt.Errorf("dispatcher: Options.EventTypes[%d]: %w", i, err))
		}
		bad(seen[t.Name], "EventTypes[%d] repeats %q; name each type once", i, t.Name)
		seen[t.Name] = true
	}
	if err := validateProxy(o.Proxy); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, o.Backoff.validate())...)
}

func validateProxy(u *url.URL) error {
	if u == nil {
		return nil
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return fmt.Errorf("dispatcher: Options.Proxy has the scheme %q; it must be http, https or socks5", u.Scheme)
	}
	if u.Host == "" {
		return errors.New("dispatcher: Options.Proxy has no host")
	}
	return nil
}
