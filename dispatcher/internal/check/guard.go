package check

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// NewGuard returns the policy that options describe. It shares no memory with them: a dispatcher
// copies its options, and a guard must not change with the host's slices.
func NewGuard(allow, deny []netip.Prefix, ports []uint16, loopback bool) *netguard.Policy {
	p := &netguard.Policy{
		Deny: slices.Clone(deny), Allow: slices.Clone(allow), Ports: slices.Clone(ports),
	}
	if loopback {
		p.Allow = append(p.Allow, netguard.Loopback()...)
	}
	return p
}

// Guard reports what is wrong with the options of the address guard, of which policy is made.
func Guard(
	policy *netguard.Policy, allow, deny []netip.Prefix, ports []uint16, loopback bool,
) (errs []error) {
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("dispatcher: Options."+format, args...))
	}
	for _, p := range [...]struct {
		name     string
		prefixes []netip.Prefix
	}{{"AllowPrefixes", allow}, {"DenyPrefixes", deny}} {
		for i, prefix := range p.prefixes {
			if !prefix.IsValid() {
				bad("%s[%d] is not a valid prefix; make it with netip.MustParsePrefix", p.name, i)
			}
		}
	}
	for i, port := range ports {
		if port == 0 {
			bad("Ports[%d] is 0; give a port from 1 to 65535", i)
		}
	}
	if loopback && !policy.AllowsLoopback() {
		bad("AllowLoopback has no effect, as DenyPrefixes has loopback addresses; remove one of them")
	}
	return errs
}
