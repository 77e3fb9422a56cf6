package check

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// The defaults of a policy that no option has.
const (
	DefaultMethod      = http.MethodPost
	DefaultContentType = "application/json"
)

// methods are those that carry a body, and that endpoints expect.
var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch}

// The least that the owner of a subscription may set: less would be of no use to anybody.
const (
	MinTimeout = 100 * time.Millisecond
	MinRate    = 0.001 // in a second: one in about a quarter of an hour
)

const maxRate = 1e6 // that a store takes

// PolicyValues are those of a dispatcher.Policy as the host has given it. Zero is a default.
type PolicyValues struct {
	Timeout, MaxTimeout          time.Duration
	Rate                         float64
	Burst                        int
	PerSubscription, Concurrency int
	Method, ContentType          string
}

// Policy says what is wrong with a policy.
func Policy(p PolicyValues) error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Policy."+format, args...))
		}
	}
	bad(p.Timeout < 0 || p.Timeout > p.MaxTimeout,
		"Timeout is %v; it must be positive, and at most Options.MaxTimeout, which is %v",
		p.Timeout, p.MaxTimeout)
	bad(!(p.Rate >= 0), "Rate is %v; it must be positive, or 0 for no limit", p.Rate)
	bad(p.Burst < 0, "Burst is %d; it must be positive", p.Burst)
	bad(p.PerSubscription < 0 || p.PerSubscription > p.Concurrency,
		"PerSubscription is %d; it must be from 1 to Options.Concurrency, which is %d",
		p.PerSubscription, p.Concurrency)
	bad(p.Method != "" && !slices.Contains(methods, p.Method),
		"Method is %q; it must be POST, PUT or PATCH", p.Method)
	if p.ContentType != "" {
		media, _, err := mime.ParseMediaType(p.ContentType)
		bad(err != nil || !strings.Contains(media, "/") ||
			!httpguts.ValidHeaderFieldValue(p.ContentType),
			"ContentType is %q; give a media type such as application/json", p.ContentType)
	}
	return errors.Join(errs...)
}

// Lesser returns the lesser of two values of which one that is zero says nothing, or else a third.
func Lesser[T cmp.Ordered](a, b, otherwise T) T {
	var zero T
	switch {
	case a != zero && b != zero:
		return min(a, b)
	case a != zero:
		return a
	case b != zero:
		return b
	}
	return otherwise
}

// Either returns the first of two functions, or the second if that is nil.
func Either(f, otherwise func(status int) bool) func(status int) bool {
	if f == nil {
		return otherwise
	}
	return f
}

// OwnerBounds say how far the owner of a subscription may set its policy. Zero is not at all.
type OwnerBounds struct {
	Timeout time.Duration
	Rate    float64
}

// Timeouts says what is wrong with how long an attempt may take, and what owners may set.
func Timeouts(usual, longest time.Duration, owner OwnerBounds) (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
		}
	}
	if usual <= 0 || usual > time.Hour {
		bad(true, "Timeout is %v; it must be positive, and an hour at most", usual)
		return errs // the others would repeat it
	}
	if longest < usual || longest > time.Hour {
		bad(true, "MaxTimeout is %v; it must be from Timeout, which is %v, to an hour", longest, usual)
		return errs
	}
	bad(owner.Timeout != 0 && owner.Timeout < MinTimeout || owner.Timeout > longest,
		"OwnerMay.Timeout is %v; it must be from %v to MaxTimeout, which is %v, or 0 for none",
		owner.Timeout, MinTimeout, longest)
	bad(owner.Rate != 0 && !(owner.Rate >= MinRate && owner.Rate <= maxRate),
		"OwnerMay.Rate is %v; it must be from %v to %v, or 0 for none", owner.Rate, MinRate, maxRate)
	return errs
}

// Asked returns what the owner of a subscription has asked for, as far as it is allowed. handshake
// says that the endpoint may bound the rate as well: the lower of both holds.
func (b OwnerBounds) Asked(sub *store.Subscription, handshake bool) OwnerBounds {
	rate := min(sub.Rate, b.Rate)
	if handshake {
		rate = Lesser(rate, sub.AllowedRate, 0)
	}
	return OwnerBounds{min(sub.Timeout, b.Timeout), rate}
}

// check validates what the owner of a subscription asks for, where it has changed.
func (b OwnerBounds) check(sub, was *store.Subscription) error {
	if t := sub.Timeout; t != was.Timeout && t != 0 {
		switch {
		case b.Timeout == 0:
			return &events.InvalidError{
				Field: "timeout_seconds", Reason: "can't be set here; leave it out",
			}
		case t < MinTimeout || t > b.Timeout:
			return &events.InvalidError{
				Field: "timeout_seconds",
				Reason: fmt.Sprintf("is %v; give %v to %v", t.Seconds(), MinTimeout.Seconds(),
					b.Timeout.Seconds()),
			}
		}
	}
	if rate := sub.Rate; rate != was.Rate && rate != 0 {
		switch {
		case b.Rate == 0:
			return &events.InvalidError{Field: "rate", Reason: "can't be set here; leave it out"}
		case !(rate >= MinRate && rate <= b.Rate):
			return &events.InvalidError{
				Field:  "rate",
				Reason: fmt.Sprintf("is %v; give %v to %v attempts a second", rate, MinRate, b.Rate),
			}
		}
	}
	return nil
}
