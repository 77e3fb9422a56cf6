package form

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Policy is what the owner of a webhook may set of how it is delivered to, as the form has it.
type Policy struct {
	Timeout, Rate string // in seconds, and attempts a second; empty: as usual
	May           dispatcher.OwnerBounds
}

// PolicyOf returns what is set of a webhook.
func PolicyOf(sub *store.Subscription) Policy {
	var p Policy
	if sub.Timeout != 0 {
		p.Timeout = strconv.FormatFloat(sub.Timeout.Seconds(), 'f', -1, 64)
	}
	if sub.Rate != 0 {
		p.Rate = strconv.FormatFloat(sub.Rate, 'f', -1, 64)
	}
	return p
}

func readPolicy(values url.Values) Policy {
	return Policy{
		Timeout: strings.TrimSpace(values.Get("timeout")),
		Rate:    strings.TrimSpace(values.Get("rate")),
	}
}

// Any reports whether there is anything to set.
func (p Policy) Any() bool { return p.May != (dispatcher.OwnerBounds{}) }

// MaxTimeout is the longest timeout in seconds.
func (p Policy) MaxTimeout() float64 { return p.May.Timeout.Seconds() }

// SetPolicy sets of a webhook what its owner may set. What the host does not let owners set is not
// in the form, and stays. It fails by an error in the form.
func (f *Webhook) SetPolicy(sub *store.Subscription, may dispatcher.OwnerBounds) {
	if may.Timeout != 0 {
		seconds := f.number("timeout_seconds", f.Policy.Timeout, 1e6)
		// To the millisecond, as over HTTP.
		sub.Timeout = time.Duration(seconds*1000+0.5) * time.Millisecond
	}
	if may.Rate != 0 {
		sub.Rate = f.number("rate", f.Policy.Rate, 1e6)
	}
}

// number reads a number of the form; an empty field is zero.
func (f *Webhook) number(field, value string, most float64) float64 {
	if value == "" {
		return 0
	}
	n, err := strconv.ParseFloat(strings.Replace(value, ",", ".", 1), 64)
	if err != nil || !(n > 0 && n <= most) {
		f.Errors[field] = "This is no number above zero. Write one such as 2.5, or leave it empty."
		return 0
	}
	return n
}
