package check

import (
	"fmt"
	"net/netip"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

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
