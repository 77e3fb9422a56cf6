package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// ErrBlocked is the error of a connection that a Policy refused.
var ErrBlocked = errors.New("netguard: the address is not allowed")

// Policy says which addresses deliveries may go to. The zero Policy has the built-in list alone. It
// may be used by any number of goroutines, as long as nobody changes it.
type Policy struct {
	Deny  []netip.Prefix // refused in any case
	Allow []netip.Prefix // allowed although the built-in list refuses them
	Ports []uint16       // the only ports; if empty, 80, 443, and those from 1024 on
}

// special4 is the IANA IPv4 Special-Purpose Address Registry, with multicast (RFC 5771).
var special4 = prefixes(
	"0.0.0.0/8",       // "this network", RFC 791
	"10.0.0.0/8",      // private use, RFC 1918
	"100.64.0.0/10",   // shared address space, RFC 6598: Alibaba's metadata
	"127.0.0.0/8",     // loopback, RFC 1122
	"169.254.0.0/16",  // link local, RFC 3927: cloud metadata
	"172.16.0.0/12",   // private use, RFC 1918
	"192.0.0.0/24",    // IETF protocol assignments, RFC 6890: Oracle's metadata
	"192.0.2.0/24",    // documentation, RFC 5737
	"192.31.196.0/24", // AS112-v4, RFC 7535
	"192.52.193.0/24", // AMT, RFC 7450
	"192.88.99.0/24",  // 6to4 relay anycast, RFC 7526
	"192.168.0.0/16",  // private use, RFC 1918
	"192.175.48.0/24", // direct delegation AS112, RFC 7534
	"198.18.0.0/15",   // benchmarking, RFC 2544
	"198.51.100.0/24", // documentation, RFC 5737
	"203.0.113.0/24",  // documentation, RFC 5737
	"224.0.0.0/4",     // multicast, RFC 5771
	"240.0.0.0/4",     // reserved, RFC 1112, with 255.255.255.255
)

// global6 is all of IPv6 that is global unicast. special6 is the part of it that is special in the
// IANA IPv6 Special-Purpose Address Registry, or that maps to IPv4.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = prefixes(
		"2001::/23",         // IETF protocol assignments with Teredo, RFC 2928
		"2001:db8::/32",     // documentation, RFC 3849
		"2002::/16",         // 6to4, RFC 3056
		"2620:4f:8000::/48", // direct delegation AS112, RFC 7534
		"3fff::/20",         // documentation, RFC 9637
	)
)

// prefixes parses the built-in list, at the start of the program.
func prefixes(s ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(s))
	for i, p := range s {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// contains reports whether a, which is not IPv4-mapped, is in one of the prefixes. A prefix of
// IPv4-mapped addresses stands for the IPv4 addresses that they map.
func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Allows reports whether deliveries may go to a.
func (p *Policy) Allows(a netip.Addr) bool {
	// The zone is looked at before Unmap, which drops it. netip.Prefix.Contains is false for every
	// address with a zone, so without this check Deny would not hold for one.
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	switch {
	case contains(p.Deny, a):
		return false
	case contains(p.Allow, a):
		return true
	case contains(clouds, a):
		return false
	case a.Is4():
		return !contains(special4, a)
	default:
		return global6.Contains(a) && !contains(special6, a)
	}
}

// AllowsPort reports whether deliveries may go to a port. Without Ports, those below 1024 that are
// not HTTP's are refused: they belong to well-known services that speak no HTTP.
func (p *Policy) AllowsPort(port uint16) bool {
	if len(p.Ports) > 0 {
		return slices.Contains(p.Ports, port)
	}
	return port == 80 || port == 443 || port >= 1024
}

// Control is a net.Dialer.ControlContext. It gets the address that the socket is about to connect
// to, and returns nil or [ErrBlocked].
func (p *Policy) Control(_ context.Context, network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	isTCP := network == "tcp4" || network == "tcp6"
	if err != nil || !isTCP || !p.AllowsPort(ap.Port()) || !p.Allows(ap.Addr()) {
		return ErrBlocked
	}
	return nil
}

// Dialer returns a dialer of its own for each call, whose connections go only where p allows.
func (p *Policy) Dialer() *net.Dialer { return &net.Dialer{ControlContext: p.Control} }
