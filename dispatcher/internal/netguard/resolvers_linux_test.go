package netguard_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// TestDialerNamesOfTheSystem has names resolved as the system does it, by Go's resolver and by the
// C library's, from a hosts file and a name server of the test's own: in a process that has its own
// network and its own view of the file system. It is skipped where a user may not have that.
func TestDialerNamesOfTheSystem(t *testing.T) {
	for _, resolver := range []string{"go", "cgo"} {
		t.Run(resolver, func(t *testing.T) {
			if !nettest.InOwnNetwork(t, "GODEBUG=netdns="+resolver) {
				return
			}
			names, server := serveKinds(t, "127.0.0.1:53", "allowed")
			nettest.ReplaceFile(t, "/etc/nsswitch.conf", "hosts: files dns\n")
			nettest.ReplaceFile(t, "/etc/resolv.conf",
				"nameserver 127.0.0.1\noptions timeout:5 attempts:3\n")
			nettest.ReplaceFile(t, "/etc/hosts", "127.0.0.1 localhost thishost ip6-localhost\n"+
				"127.0.0.2 "+names["denied"]+"\n127.0.0.1 "+names["allowed"]+"\n")
			dialNames(t, names, nil)
			server.Move()
			dialMoving(t, names, nil)
			dialLocalNames(t)
			dialSpellings(t, nil)
		})
	}
}

// dialLocalNames dials the names that machines have for themselves, and those of metadata services.
func dialLocalNames(t *testing.T) {
	var reached nettest.Counter
	port := listenEverywhere(t, &reached)
	for name, tt := range map[string]struct {
		host     string
		resolves bool // by all resolvers
	}{
		"localhost":           {"localhost", true},
		"in capitals":         {"LOCALHOST", true},
		"this machine's name": {"thishost", true},
		"IPv6 localhost":      {"ip6-localhost", true},
		"with a dot":          {"localhost.", false},
		"below localhost":     {"metadata.localhost", false},
		"localhost's domain":  {"localhost.localdomain", false},
		"Google's metadata":   {"metadata.google.internal", false},
		"no suffix":           {"metadata", false},
	} {
		got := dial(t, &netguard.Policy{}, nil, tt.host, port)
		if got != blocked && (tt.resolves || got != unresolved) {
			t.Errorf("%s: %s: %s, want blocked", name, tt.host, got)
		}
	}
	if n := reached.Count(); n != 0 {
		t.Errorf("%d connections reached the listener, want none", n)
	}
	// The same listener is reached by name where it may be: the test can fail.
	open := &netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if got := dial(t, open, (*net.Resolver)(nil), "localhost", port); got != connected {
		t.Errorf("localhost once 127.0.0.0/8 is allowed: %s, want connected", got)
	}
}
