package netguard_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"code.dny.dev/ssrf"
	"pgregory.net/rapid"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// special is what is denied by default, as the registries name it: each prefix, and whether what
// stands immediately before and after it is denied too.
var special = []struct {
	name, prefix             string
	beforeDenied, nextDenied bool
}{
	{"this network", "0.0.0.0/8", true, false},
	{"private 10", "10.0.0.0/8", false, false},
	{"shared address space", "100.64.0.0/10", false, false},
	{"loopback", "127.0.0.0/8", false, false},
	{"link local", "169.254.0.0/16", false, false},
	{"private 172.16", "172.16.0.0/12", false, false},
	{"IETF protocol assignments", "192.0.0.0/24", false, false},
	{"TEST-NET-1", "192.0.2.0/24", false, false},
	{"AS112-v4", "192.31.196.0/24", false, false},
	{"AMT", "192.52.193.0/24", false, false},
	{"6to4 relay anycast", "192.88.99.0/24", false, false},
	{"private 192.168", "192.168.0.0/16", false, false},
	{"direct delegation AS112", "192.175.48.0/24", false, false},
	{"benchmarking", "198.18.0.0/15", false, false},
	{"TEST-NET-2", "198.51.100.0/24", false, false},
	{"TEST-NET-3", "203.0.113.0/24", false, false},
	{"multicast", "224.0.0.0/4", false, true},
	{"reserved, with broadcast", "240.0.0.0/4", true, true},

	{"Azure's host", "168.63.129.16/32", false, false},
	{"IBM's infrastructure", "161.26.0.0/16", false, false},
	{"IBM's services", "166.8.0.0/14", false, false},
	{"Google's restricted and private APIs", "199.36.153.4/30", false, true},
	{"Google's private APIs", "199.36.153.8/30", true, false},
	{"Google's other APIs", "34.126.0.0/18", false, false},
	{"Google's DNS", "35.199.192.0/19", false, false},
	{"Equinix's metadata", "192.80.8.124/32", false, false},
	{"Tencent's DNS", "183.60.83.19/32", false, false},
	{"Tencent's other DNS", "183.60.82.98/32", false, false},
	{"Alibaba's metadata", "100.100.100.200/32", true, true},
	{"Oracle's metadata", "192.0.0.192/32", true, true},
	{"Google's restricted APIs, IPv6", "2600:2d00:2:1000::/56", false, false},
	{"Google's private APIs, IPv6", "2600:2d00:2:2000::/56", false, false},
	{"Google's other APIs, IPv6", "2001:4860:8040::/42", false, false},

	{"all before global unicast", "::/3", true, false},
	{"unspecified", "::/128", true, true},
	{"IPv6 loopback", "::1/128", true, true},
	{"IPv4-compatible", "::/96", true, true},
	{"NAT64", "64:ff9b::/96", true, true},
	{"local NAT64", "64:ff9b:1::/48", true, true},
	{"discard only", "100::/64", true, true},
	{"dummy prefix", "100:0:0:1::/64", true, true},
	{"IPv6 protocol assignments", "2001::/23", false, false},
	{"IPv6 documentation", "2001:db8::/32", false, false},
	{"6to4", "2002::/16", false, false},
	{"IPv6 direct delegation AS112", "2620:4f:8000::/48", false, false},
	{"IPv6 documentation, the newer", "3fff::/20", false, false},
	{"all after global unicast", "4000::/2", false, true},
	{"segment routing", "5f00::/16", true, true},
	{"unique local", "fc00::/7", true, true},
	{"IPv6 link local", "fe80::/10", true, true},
	{"site local", "fec0::/10", true, true},
	{"IPv6 multicast", "ff00::/8", true, true},
}

// clouds are the public addresses that cloud providers route inside.
var clouds = []string{"168.63.129.16/32", "161.26.0.0/16", "166.8.0.0/14", "199.36.153.4/30",
	"199.36.153.8/30", "34.126.0.0/18", "35.199.192.0/19", "192.80.8.124/32", "183.60.83.19/32",
	"183.60.82.98/32", "2600:2d00:2:1000::/56", "2600:2d00:2:2000::/56", "2001:4860:8040::/42"}

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// controls reports whether a socket may connect to an address, on a network that package net names.
func controls(p *netguard.Policy, network, address string) bool {
	return p.Control(context.Background(), network, address, nil) == nil
}

// dialable reports whether a socket may connect to port 443 of a.
func dialable(p *netguard.Policy, a netip.Addr) bool {
	network := "tcp4"
	if a.Is6() {
		network = "tcp6"
	}
	return controls(p, network, netip.AddrPortFrom(a, 443).String())
}

func TestPolicyDeniesSpecialAddresses(t *testing.T) {
	p := &netguard.Policy{}
	check := func(name string, a netip.Addr, want bool) {
		t.Helper()
		if !a.IsValid() { // past the first or the last of all
			return
		}
		if got := dialable(p, a); got != want {
			t.Errorf("%s: %v allowed: %v, want %v", name, a, got, want)
		}
		if a.Is4() {
			if mapped := netip.AddrFrom16(a.As16()); dialable(p, mapped) != want {
				t.Errorf("%s: %v allowed: %v, want %v", name, mapped, !want, want)
			}
		}
	}
	for _, s := range special {
		p := netip.MustParsePrefix(s.prefix)
		check(s.name, p.Addr(), false)
		check(s.name, last(p), false)
		check("before "+s.name, p.Addr().Prev(), !s.beforeDenied)
		check("after "+s.name, last(p).Next(), !s.nextDenied)
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "168.63.129.15", "223.255.255.255",
		"2606:4700::1111", "2a00::1", "3ffe:ffff::1"} {
		check("public", netip.MustParseAddr(a), true)
	}
}

func TestPolicyDeniesWhatItDoesNotUnderstand(t *testing.T) {
	p := &netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"),
		netip.MustParsePrefix("::/0")}}
	for _, tt := range []struct {
		network, address string
		want             bool
	}{
		{"tcp4", "127.0.0.1:443", true},
		{"tcp6", "[fe80::1]:443", true},
		{"tcp6", "[fe80::1%lo]:443", false},
		{"tcp6", "[::ffff:127.0.0.1%lo]:443", false},
		{"tcp6", "[::ffff:8.8.8.8%lo]:443", false},
		{"tcp6", "[2606:4700::1111%lo]:443", false},
		{"tcp4", "0177.0.0.1:443", false},
		{"tcp4", "localhost:443", false},
		{"tcp4", "127.0.0.1", false},
		{"tcp4", "", false},
		{"tcp", "8.8.8.8:443", false},
		{"udp4", "8.8.8.8:443", false},
		{"unix", "/run/docker.sock", false},
	} {
		if got := controls(p, tt.network, tt.address); got != tt.want {
			t.Errorf("%s %q allowed: %v, want %v", tt.network, tt.address, got, tt.want)
		}
	}
	if p.Allows(netip.Addr{}) {
		t.Error("the zero address is allowed")
	}
}

func TestPolicyPorts(t *testing.T) {
	p := &netguard.Policy{}
	for port := range 1 << 16 {
		want := port == 80 || port == 443 || port >= 1024
		if got := controls(p, "tcp4", fmt.Sprintf("8.8.8.8:%d", port)); got != want {
			t.Errorf("port %d allowed: %v, want %v", port, got, want)
		}
	}
}

func TestPolicyPrefixes(t *testing.T) {
	prefixes := func(s ...string) []netip.Prefix {
		out := []netip.Prefix{}
		for _, text := range s {
			out = append(out, netip.MustParsePrefix(text))
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		allow, deny []netip.Prefix
		address     string
		want        bool
	}{
		{"nothing set, private", prefixes(), nil, "10.1.2.3", false},
		{"nothing set, public", prefixes(), nil, "8.8.8.8", true},
		{"allowed beats the list", prefixes("10.1.0.0/16"), nil, "10.1.2.3", true},
		{"beside what is allowed", prefixes("10.1.0.0/16"), nil, "10.2.0.0", false},
		{"allowed, mapped", prefixes("10.1.0.0/16"), nil, "::ffff:10.1.2.3", true},
		{"allowed beats the list, IPv6", prefixes("fd00::/8"), nil, "fd00::1", true},
		{"denied beats public", prefixes(), prefixes("8.8.8.0/24"), "8.8.8.8", false},
		{"denied, mapped", prefixes(), prefixes("8.8.8.0/24"), "::ffff:8.8.8.8", false},
		{"denied beats allowed", prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16"), "10.1.2.3", false},
		{"allowed beside what is denied", prefixes("10.0.0.0/8"), prefixes("10.1.0.0/16"), "10.2.0.0",
			true},
		{"denied beats allowed, however narrow", prefixes("10.1.2.3/32"), prefixes("10.0.0.0/8"),
			"10.1.2.3", false},
		{"denied, IPv6", prefixes("fd00::/8"), prefixes("fd00::/16"), "fd00::1", false},
		{"not masked", prefixes("10.1.2.3/16"), nil, "10.1.9.9", true},
		{"everything denied", prefixes("0.0.0.0/0"), prefixes("0.0.0.0/0", "::/0"), "2606:4700::1111",
			false},
		{"all of IPv6 denied, IPv4", prefixes(), prefixes("::/0"), "8.8.8.8", true},
		{"written as mapped, denied", prefixes(), prefixes("::ffff:8.8.8.0/120"), "8.8.8.8", false},
		{"written as mapped, allowed", prefixes("::ffff:10.0.0.0/104"), nil, "10.1.2.3", true},
		{"all mapped, denied", prefixes(), prefixes("::ffff:0:0/96"), "8.8.8.8", false},
	} {
		p := &netguard.Policy{Allow: tt.allow, Deny: tt.deny}
		if got := dialable(p, netip.MustParseAddr(tt.address)); got != tt.want {
			t.Errorf("%s: %s allowed: %v, want %v", tt.name, tt.address, got, tt.want)
		}
	}
}

// Another implementation of the same rule agrees, except where we mean to differ.
func TestPolicyAgreesWithOracle(t *testing.T) {
	p := &netguard.Policy{}
	oracle := ssrf.New()
	inClouds := func(a netip.Addr) bool { // the oracle does not know them
		for _, c := range clouds {
			if netip.MustParsePrefix(c).Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	check := func(t interface{ Errorf(string, ...any) }, a netip.Addr) {
		network, judged := "tcp4", a
		switch {
		case a.Is4In6(): // the oracle denies all of them, we look at the IPv4 address inside
			judged = a.Unmap()
		case a.Is6():
			network = "tcp6"
		}
		want := oracle.Safe(network, netip.AddrPortFrom(judged, 443).String(), nil) == nil && !inClouds(a)
		if got := dialable(p, a); got != want {
			t.Errorf("%v allowed: %v, want %v", a, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v4 := [4]byte(binary.BigEndian.AppendUint32(nil, rapid.Uint32().Draw(t, "IPv4")))
		check(t, netip.AddrFrom4(v4))
		check(t, netip.AddrFrom16(netip.AddrFrom4(v4).As16()))
		high, low := rapid.Uint64().Draw(t, "high"), rapid.Uint64().Draw(t, "low")
		check(t,
			netip.AddrFrom16([16]byte(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, high),
				low))))
		p := netip.MustParsePrefix(rapid.SampledFrom(special).Draw(t, "range").prefix)
		near := p.Addr().As16() // in a special range, or a bit away from it
		bit := rapid.IntRange(0, p.Bits()).Draw(t, "bit")
		if p.Addr().Is4() {
			bit = min(bit, 31) + 96
		}
		near[min(bit, 127)/8] ^= 0x80 >> (min(bit, 127) % 8)
		check(t, netip.AddrFrom16(near).Unmap())
	})
}
