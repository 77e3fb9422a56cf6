package console

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/asset"
	"github.com/outhook/outhook/store"
)

// Options are the optional settings. nil and the zero value of each field mean its default.
type Options struct {
	// Title is the name of the host, at the top of each page. If empty, "Webhooks".
	Title string

	// Environment is shown beside the title, such as "staging". If empty, nothing is.
	Environment string

	// Back is a link to the host's own pages: an https, http or relative URL. If empty, none.
	Back string

	// Logo is an image that is shown before the title: PNG, JPEG, GIF, WebP or SVG, of 64 KiB at
	// most. If empty, none.
	Logo []byte

	// Accent is the color of buttons, as "#" and six hexadecimal digits. If empty, a blue.
	Accent string

	// FrameAncestors are the origins whose pages may show the console in a frame, such as
	// "https://app.example", or "'self'". If empty, none may.
	FrameAncestors []string

	// Redact returns what the console shows of an event's payload, such as a copy without personal
	// data. The subscription is that of the delivery that is shown; on the page of an event, which
	// is about several, only its Tenant is set. It must be safe for concurrent use, and must not
	// change the payload. If nil, payloads are shown as they are to those who may see them.
	Redact func(store.Subscription, events.Event) []byte

	// TraceURL returns where your tracing system shows a trace, by its traceparent; empty is
	// nowhere. It must be safe for concurrent use. If nil, traces are not linked to.
	TraceURL func(trace string) string

	// Logger gets failures of the store as Error. If nil, slog.Default().
	Logger *slog.Logger
}

// MaxLogo is how many bytes Options.Logo may have.
const MaxLogo = 64 << 10

// console is a handler of all pages.
type console struct {
	d      *dispatcher.Dispatcher
	who    Authorizer
	o      Options
	pages  map[string]page
	assets map[string]*asset.File
	policy string // the Content-Security-Policy
	origin *http.CrossOriginProtection
	base   string // where it is mounted, with slashes around; empty if it does not know

	folders folders // where it has shown pages, if it does not know
}

// Mount serves the console on the host's mux, below a path such as "/admin/webhooks/". A missing
// slash at the end is added. It registers the path for each method that net/http names, so that it
// does not conflict with catch-all routes of the host ("/", "GET /").
//
// The error is an *events.InvalidError for an argument or a field of the options. Or it names the
// route of the host that conflicts; then some routes may be registered already.
func Mount(
	mux *http.ServeMux, path string, d *dispatcher.Dispatcher, who Authorizer, o *Options,
) error {
	if mux == nil {
		return invalid("mux", "is nil; give the mux that your server serves")
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "{}?#% ") ||
		strings.Contains(path, "//") {
		return invalid("path", `is %q; give one that starts with a slash and has no wildcards, `+
			`such as "/admin/webhooks/"`, path)
	}
	c, err := newConsole(d, who, o)
	if err != nil {
		return err
	}
	c.base = strings.TrimSuffix(path, "/") + "/"
	patterns := []string{c.base}
	if c.base != "/" {
		// The mux would send this one to an absolute path, which is wrong behind a proxy that has
		// taken a prefix away.
		patterns = append(patterns, strings.TrimSuffix(c.base, "/"))
	}
	for _, pattern := range patterns {
		for _, method := range methods() {
			if err := register(mux, method+" "+pattern, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// Handler returns a handler for the console, for [http.StripPrefix] and routers other than
// [http.ServeMux]. It need not know where it is mounted, nor whether a router or proxy before it
// has removed a prefix: all pages are in one folder, and all links are relative to it. So it goes
// by what comes after the last slash of a request's path. A name that it does not know is 404 in a
// folder in which it has shown a page; elsewhere it may be the console itself, without the slash
// that links need, and is answered by a redirect to that.
//
// The error is an *events.InvalidError for d, who or a field of the options.
func Handler(d *dispatcher.Dispatcher, who Authorizer, o *Options) (http.Handler, error) {
	return newConsole(d, who, o)
}

func newConsole(d *dispatcher.Dispatcher, who Authorizer, o *Options) (*console, error) {
	if d == nil {
		return nil, invalid("d", "is nil; give the Dispatcher that dispatcher.New returns")
	}
	if who == nil {
		return nil, invalid("who", "is nil; give a function that says who may see what")
	}
	c := &console{d: d, who: who, origin: http.NewCrossOriginProtection()}
	if o != nil {
		c.o = *o
	}
	if c.o.Title == "" {
		c.o.Title = "Webhooks"
	}
	if c.o.Logger == nil {
		c.o.Logger = slog.Default()
	}
	c.o.Logo = bytes.Clone(c.o.Logo)
	if err := c.o.validate(); err != nil {
		return nil, err
	}
	c.policy = c.o.contentSecurityPolicy()
	c.assets = asset.Files(c.o.Accent, c.o.Logo)
	c.pages = pages()
	return c, nil
}

var (
	accentSyntax   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	ancestorSyntax = regexp.MustCompile(`^('self'|https?://[A-Za-z0-9*.\-\[\]:]+)$`)
)

// validate returns an error for the first option that is out of its bounds.
func (o *Options) validate() error {
	if o.Accent != "" && !accentSyntax.MatchString(o.Accent) {
		return invalid("Accent", `is %q; give a color such as "#0b5fff"`, o.Accent)
	}
	for _, origin := range o.FrameAncestors {
		if !ancestorSyntax.MatchString(origin) {
			return invalid("FrameAncestors",
				`has %q; give origins such as "https://app.example", or "'self'"`, origin)
		}
	}
	if u, err := url.Parse(o.Back); err != nil ||
		u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" {
		return invalid("Back", "is %q; give an https, http or relative URL", o.Back)
	}
	if len(o.Logo) > MaxLogo {
		return invalid("Logo", "has %d bytes; at most %d are allowed", len(o.Logo), MaxLogo)
	}
	if len(o.Logo) > 0 && asset.ImageType(o.Logo) == "" {
		return invalid("Logo", "is no image; give PNG, JPEG, GIF, WebP or SVG")
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return &events.InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// contentSecurityPolicy returns the header of that name: everything comes from the console itself,
// and nothing is inline.
func (o *Options) contentSecurityPolicy() string {
	ancestors := "'none'"
	if len(o.FrameAncestors) > 0 {
		ancestors = strings.Join(o.FrameAncestors, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
}

// methods are the methods that a path is registered for; see httpapi.Mount.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace, // GET includes HEAD
	}
}

// register is mux.Handle, but returns an error instead of panicking.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("console: mount %s: %v", pattern, p)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}
