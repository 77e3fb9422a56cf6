package dispatcher

import (
	"errors"
	"net"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// GuardedDialer returns a dialer, of its own for each call, whose connections go only where
// deliveries may: see AllowPrefixes, DenyPrefixes, AllowLoopback and Ports, the only options that
// it reads, and the package comment for the built-in list. A nil o means that list alone.
//
// It is for a host that sets Options.Transport, such as an http.Transport whose DialContext is the
// dialer's. The check is of the address that is dialed, after names were looked up, so no answer
// of a DNS server gets around it. A transport must dial with it directly: a proxy, a Dial function
// around it that rewrites addresses, or another ControlContext, is not guarded. The dialer's other
// fields may be set. An attempt that it refuses fails with ClassBlockedAddress.
//
// The error says which of these options are not valid.
func GuardedDialer(o *Options) (*net.Dialer, error) {
	if o == nil {
		o = &Options{}
	}
	if err := errors.Join(o.checkGuard()...); err != nil {
		return nil, err
	}
	return o.guard().Dialer(), nil
}

// guard returns the policy that the options describe.
func (o *Options) guard() *netguard.Policy {
	return check.NewGuard(o.AllowPrefixes, o.DenyPrefixes, o.Ports, o.AllowLoopback)
}

// checkGuard reports what is wrong with the options of the address guard.
func (o *Options) checkGuard() []error {
	return check.Guard(o.guard(), o.AllowPrefixes, o.DenyPrefixes, o.Ports, o.AllowLoopback)
}
