package netguard

import (
	"net/netip"
	"strings"
)

// The addresses that names of the machine itself stand for.
var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// Loopback returns the prefixes of the machine itself.
func Loopback() []netip.Prefix { return prefixes("127.0.0.0/8", "::1/128") }

// AllowsLoopback reports whether deliveries may go to the machine itself, by either of its
// addresses.
func (p *Policy) AllowsLoopback() bool { return p.Allows(loopback4) || p.Allows(loopback6) }

// isLoopbackName reports whether an ASCII name stands for the machine itself: localhost and what
// is under it (RFC 6761, 6.3), and names that hosts files of Linux distributions have. The dialer
// does not go by this: there, a name is what it resolves to.
func isLoopbackName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	switch name {
	case "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback":
		return true
	}
	return strings.HasSuffix(name, ".localhost")
}
