package dispatcher

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/dispatcher/internal/backoff"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/notify"
)

// withDefaults returns a copy of o in which nothing is left to default.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	setDefault(&c.Concurrency, DefaultConcurrency)
	setDefault(&c.PerSubscription, min(DefaultPerSubscription, max(c.Concurrency, 1)))
	setDefault(&c.PerTenant, max((c.Concurrency+1)/2, 1))
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.MaxTimeout, max(c.Timeout, c.OwnerMay.Timeout))
	setDefault(&c.DrainTimeout, DefaultDrainTimeout)
	setDefault(&c.Retention, DefaultRetention)
	setDefault(&c.FailedRetention, DefaultFailedRetention)
	setDefault(&c.DisableAfter, DefaultDisableAfter)
	setDefault(&c.MaxPayload, DefaultMaxPayload)
	setDefault(&c.MaxResponse, DefaultMaxResponse)
	setDefault(&c.MinSecret, DefaultMinSecret)
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
	if c.Tracer != nil {
		tracer := *c.Tracer
		c.Tracer = &tracer
	}
	return c
}

// setDefault sets a field that is zero.
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
	errs = append(errs, check.Limits(o.Concurrency, o.PerSubscription, o.PerTenant, o.PerHost)...)
	errs = append(errs,
		check.Timeouts(o.Timeout, o.MaxTimeout, check.OwnerBounds(o.OwnerMay))...)
	errs = append(errs, check.Retention(o.Retention, o.FailedRetention)...)
	errs = append(errs, check.Sizes(o.MaxPayload, o.MaxResponse, o.MinSecret)...)
	bad(o.AttemptDetail < 0 || o.AttemptDetail >= detailEnd,
		"AttemptDetail is %d; give one of the constants that start with Detail", o.AttemptDetail)
	bad(o.Signatures < 0 || o.Signatures >= signaturesEnd,
		"Signatures is %d; give one of the constants that start with Signatures", o.Signatures)
	bad(!httpguts.ValidHeaderFieldValue(o.UserAgent),
		"UserAgent holds a character that no header may hold; remove it")
	bad(o.TypeVisible != nil && len(o.EventTypes) == 0,
		"TypeVisible has no effect without EventTypes; declare them")
	bad(o.AllowPull && o.Filter != nil, "AllowPull has no effect beside Filter, which can't be asked "+
		"about what is read by poll; remove one")
	verification := o.Verify.options()
	if err := verification.Validate(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs,
		check.Network(o.Transport != nil, o.TLS != nil, o.DisableHTTP2, o.Proxy)...)
	errs = append(errs, o.checkGuard()...)
	errs = append(errs, check.EventTypes(o.EventTypes)...)
	return errors.Join(append(errs, backoff.Policy(o.Backoff).Validate("Options"))...)
}

// rules returns what the options allow; the host's functions are called by q. Its error is that of
// a schema that is not in order.
func (o *Options) rules(q *notify.Queue) (check.Rules, error) {
	schemas, err := check.CompileSchemas(o.EventTypes, o.Schemas)
	r := check.Rules{
		Guard:             o.guard(),
		RequireHTTPS:      o.RequireHTTPS,
		MinSecret:         o.MinSecret,
		MaxPayload:        o.MaxPayload,
		OwnerMay:          check.OwnerBounds(o.OwnerMay),
		OperationalEvents: o.OperationalEvents,
		Schemas:           schemas,
		Declared:          slices.Clone(o.EventTypes),
		Verify:            o.Verify.Method != VerifyNone,
		AllowPull:         o.AllowPull,
	}
	for _, t := range o.EventTypes {
		r.Types = append(r.Types, t.Name)
	}
	if o.TypeVisible != nil {
		r.Visible = func(tenant, eventType string) bool {
			// A panic hides the type: a secret stays one.
			visible, _ := notify.Ask(q, "Options.TypeVisible", func() bool {
				return o.TypeVisible(tenant, eventType)
			})
			return visible
		}
	}
	return r, err
}
