package verify

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/outhook/outhook/signing"
)

// Method is how endpoints prove that they want deliveries.
type Method int

const (
	None Method = iota // they need not
	Challenge
	Handshake

	methodEnd // one more than the last
)

// Options say what endpoints must prove.
type Options struct {
	Method Method

	// The rest is for Handshake alone. Origin is the DNS name that stands for the sender. Rate is
	// how many deliveries a minute are asked for; if zero, none is said. Callback is the address by
	// which an endpoint can agree later, without a query; if empty, it can't. CallbackKey signs
	// what stands in that query.
	Origin      string
	Rate        int
	Callback    string
	CallbackKey signing.Secret
}

// dnsName returns what a DNS name is in lower or upper case, without a dot at its end. It is made
// for the first that asks, as few hosts do.
var dnsName = sync.OnceValue(func() *regexp.Regexp {
	const label = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	return regexp.MustCompile(`^(` + label + `\.)*` + label + `$`)
})

const (
	maxOrigin      = 253 // bytes of a DNS name
	maxRate        = 1_000_000
	maxCallback    = 1024
	minCallbackKey = 16 // bytes
)

// Validate returns what is wrong, in the words of dispatcher.New, which has the options as
// Options.Verify.
func (o *Options) Validate() error {
	switch {
	case o.Method < 0 || o.Method >= methodEnd:
		return wrong("Method is %d; give one of the constants that start with Verify", o.Method)
	case o.Method != Handshake &&
		(o.Origin != "" || o.Rate != 0 || o.Callback != "" || o.CallbackKey != ""):
		return wrong("Origin, Rate, Callback and CallbackKey have no effect without the Method " +
			"VerifyHandshake; remove them")
	case o.Method != Handshake:
		return nil
	case len(o.Origin) > maxOrigin || !dnsName().MatchString(o.Origin):
		return wrong("Origin is no DNS name; give one that stands for you, such as " +
			`"events.example.com"`)
	case o.Rate < 0 || o.Rate > maxRate:
		return wrong("Rate is %d; give 1 to %d deliveries a minute, or 0 for none", o.Rate, maxRate)
	}
	return o.validateCallback()
}

// wrong returns an error about a field, whose name comes first.
func wrong(format string, args ...any) error {
	return fmt.Errorf("dispatcher: Options.Verify."+format, args...)
}

func (o *Options) validateCallback() error {
	if o.Callback == "" {
		if o.CallbackKey != "" {
			return wrong("CallbackKey has no effect without Callback; remove it")
		}
		return nil
	}
	u, err := url.Parse(o.Callback)
	if err != nil || len(o.Callback) > maxCallback || u.Scheme != "https" && u.Scheme != "http" ||
		u.Host == "" || u.User != nil || strings.ContainsAny(o.Callback, "?# \r\n") {
		return wrong("Callback is no address for it; give an https URL of at most %d bytes "+
			"without a query, where httpapi.Granted is mounted", maxCallback)
	}
	if o.CallbackKey.Validate() != nil || o.CallbackKey.Len() < minCallbackKey {
		return wrong("CallbackKey is not a key of at least %d bytes; give one that all "+
			"processes of the host share, such as signing.NewSecret made once", minCallbackKey)
	}
	return nil
}
