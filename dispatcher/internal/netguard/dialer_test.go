package netguard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// outcome is what dialing came to.
type outcome string

const (
	connected  outcome = "connected"
	blocked    outcome = "blocked"
	unresolved outcome = "unresolved"
)

// dial dials as a delivery does, and closes the connection.
func dial(t *testing.T, p *netguard.Policy, r *net.Resolver, host, port string) outcome {
	t.Helper()
	d := p.Dialer()
	d.Resolver = r
	c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
	var dns *net.DNSError
	switch {
	case err == nil:
		c.Close()
		return connected
	case errors.Is(err, netguard.ErrBlocked):
		return blocked
	case errors.As(err, &dns):
		return unresolved
	}
	return outcome(err.Error())
}

// onBoth counts the connections to the same port of 127.0.0.1, which may be dialed, and 127.0.0.2,
// which may not.
func onBoth(t *testing.T, allowed, denied *nettest.Counter) (p *netguard.Policy, port string) {
	t.Helper()
	first, second := nettest.ListenPair(t, "127.0.0.1", "127.0.0.2")
	nettest.Serve(t, first, func(net.Conn) { allowed.Add() })
	nettest.Serve(t, second, func(net.Conn) { denied.Add() })
	p = &netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	return p, nettest.Port(first.Addr().String())
}

// kinds are names that resolve to addresses of all kinds, by what they are for.
type kinds map[string]string

// serveKinds starts a name server, at an address unless that is empty, that knows a name of each
// kind. Names in hosts are left to a hosts file.
func serveKinds(t *testing.T, address string, hosts ...string) (kinds, *nettest.NameServer) {
	t.Helper()
	names := make(kinds)
	records := make(map[string][]string)
	for kind, addresses := range map[string][]string{
		"allowed": {"127.0.0.1"},
		"denied":  {"127.0.0.2"},
		"mapped":  {"::ffff:127.0.0.2"},
		"mixed":   {"127.0.0.2", "127.0.0.1"},
		"many": {"127.0.0.2", "::ffff:127.0.0.2", "::1", "10.0.0.1", "169.254.169.254",
			"fd00:ec2::254", "0.0.0.0"},
		"nat64":     {"64:ff9b::7f00:2"},
		"none":      {},
		"localhost": {"127.0.0.2"},
		"rebind":    {"127.0.0.1", "127.0.0.2"},
	} {
		names[kind] = nettest.Name(kind)
		records[names[kind]+"."] = addresses
	}
	names["unknown"] = nettest.Name("unknown")
	for _, kind := range hosts {
		delete(records, names[kind]+".")
	}
	if address == "" {
		return names, nettest.ServeNames(t, records)
	}
	return names, nettest.ServeNamesAt(t, address, records)
}

func TestDialerNames(t *testing.T) {
	names, server := serveKinds(t, "")
	dialNames(t, names, server.Resolver)
}

// dialNames dials names of all kinds, which a resolver looks up, or the system's if it is nil.
func dialNames(t *testing.T, names kinds, r *net.Resolver) {
	t.Helper()
	var allowed, denied nettest.Counter
	p, port := onBoth(t, &allowed, &denied)
	for _, tt := range []struct {
		name, host string
		want       outcome
	}{
		{"allowed", names["allowed"], connected},
		{"denied", names["denied"], blocked},
		{"denied, in capitals with a dot", strings.ToUpper(names["denied"]) + ".", blocked},
		{"mapped to a denied one", names["mapped"], blocked},
		{"one allowed among denied ones", names["mixed"], connected},
		{"many denied ones", names["many"], blocked},
		{"NAT64 of a denied one", names["nat64"], blocked},
		{"called localhost", names["localhost"], blocked},
		{"without addresses", names["none"], unresolved},
		{"unknown", names["unknown"], unresolved},
	} {
		if got := dial(t, p, r, tt.host, port); got != tt.want {
			t.Errorf("%s: %s: %s, want %s", tt.name, tt.host, got, tt.want)
		}
	}
	if n := denied.Count(); n != 0 {
		t.Errorf("%d connections reached the denied address, want none", n)
	}
}

// A name that resolves to an allowed address at one time and to a denied one at the next gets
// around nothing.
func TestDialerRebinding(t *testing.T) {
	names, server := serveKinds(t, "")
	server.Move()
	dialMoving(t, names, server.Resolver)
}

func dialMoving(t *testing.T, names kinds, r *net.Resolver) {
	t.Helper()
	var allowed, denied nettest.Counter
	p, port := onBoth(t, &allowed, &denied)
	const rounds = 10
	got := make(map[outcome]int)
	for range rounds {
		got[dial(t, p, r, names["rebind"], port)]++
	}
	if got[connected] != rounds/2 || got[blocked] != rounds/2 || denied.Count() != 0 {
		t.Errorf(
			"%v, and %d connections to the denied address; want half of %d connected, half blocked, and "+
				"none",
			got, denied.Count(), rounds)
	}
}

// An address that is blocked is not in the error.
func TestErrBlockedNamesNoAddress(t *testing.T) {
	var p netguard.Policy
	err := p.Control(context.Background(), "tcp4", "10.9.8.7:443", nil)
	if !errors.Is(err, netguard.ErrBlocked) || strings.Contains(err.Error(), "10.9") {
		t.Errorf("got %v, want ErrBlocked without the address", err)
	}
}
