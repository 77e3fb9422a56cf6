package dispatcher

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

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
	if err := errors.Join(o.validateGuard()...); err != nil {
		return nil, err
	}
	return o.guard().Dialer(), nil
}

// guard returns the policy that the options describe. It shares no memory with them: New copies its
// options, and a guard must not change with the host's slices.
func (o *Options) guard() *netguard.Policy {
	p := &netguard.Policy{
		Deny:  slices.Clone(o.DenyPrefixes),
		Allow: slices.Clone(o.AllowPrefixes),
		Ports: slices.Clone(o.Ports),
	}
	if o.AllowLoopback {
		p.Allow = append(p.Allow, netguard.Loopback()...)
	}
	return p
}

// validateGuard reports what is wrong with the options of the address guard.
func (o *Options) validateGuard() (errs []error) {
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
	}
	for _, p := range [...]struct {
		name     string
		prefixes []netip.Prefix
	}{{"AllowPrefixes", o.AllowPrefixes}, {"DenyPrefixes", o.DenyPrefixes}} {
		for i, prefix := range p.prefixes {
			if !prefix.IsValid() {
				bad("%s[%d] is not a valid prefix; make it with netip.MustParsePrefix", p.name, i)
			}
		}
	}
	for i, port := range o.Ports {
		if port == 0 {
			bad("Ports[%d] is 0; give a port from 1 to 65535", i)
		}
	}
	if o.AllowLoopback && !o.guard().AllowsLoopback() {
		bad("AllowLoopback has no effect, as DenyPrefixes has loopback addresses; remove one of them")
	}
	return errs
}
