package netguard_test

import (
	"net"
	"net/netip"
	"net/url"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// spellings are the ways in which a URL can write an address of this machine or of its network. Not
// one of them may be dialed.
func spellings() map[string]string {
	return map[string]string{
		"dotted":                     "127.0.0.1",
		"another loopback":           "127.1.2.3",
		"zero":                       "0.0.0.0",
		"decimal":                    "2130706433",
		"octal":                      "0177.0.0.1",
		"octal, one number":          "017700000001",
		"leading zeros":              "127.000.000.001",
		"hexadecimal":                "0x7f.0x0.0x0.0x1",
		"hexadecimal, one number":    "0x7f000001",
		"capital X":                  "0X7F000001",
		"mixed":                      "0x7f.0.0.01",
		"two numbers":                "127.1",
		"three numbers":              "127.0.1",
		"one number":                 "0",
		"overflow":                   "4294967297",
		"overflow in a part":         "383.0.0.1",
		"trailing dot":               "127.0.0.1.",
		"two trailing dots":          "127.0.0.1..",
		"full-width digits":          "１２７.０.０.１",
		"full-width dots":            "127。0。0。1",
		"half-width dots":            "127｡0｡0｡1",
		"circled digits":             "①②⑦.⓪.⓪.①",
		"superscripts":               "¹²⁷.⁰.⁰.¹",
		"mathematical digits":        "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
		"soft hyphens":               "127\u00ad.0.0\u00ad.1",
		"zero-width spaces":          "127\u200b.0.0.1",
		"percent-encoded":            "%31%32%37.0.0.1",
		"percent-encoded full-width": "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
		"IPv6 loopback":              "[::1]",
		"IPv6 loopback in full":      "[0000:0000:0000:0000:0000:0000:0000:0001]",
		"IPv6 unspecified":           "[::]",
		"mapped":                     "[::ffff:127.0.0.1]",
		"mapped, hexadecimal":        "[::ffff:7f00:1]",
		"mapped, in full":            "[0:0:0:0:0:ffff:7f00:0001]",
		"mapped with a zone":         "[::ffff:127.0.0.1%25lo]",
		"compatible":                 "[::127.0.0.1]",
		"translated":                 "[::ffff:0:127.0.0.1]",
		"NAT64":                      "[64:ff9b::127.0.0.1]",
		"local NAT64":                "[64:ff9b:1::127.0.0.1]",
		"6to4":                       "[2002:7f00:1::1]",
		"Teredo":                     "[2001:0:7f00:1::80ff:fffe]",
		"link local with a zone":     "[fe80::1%25lo]",
		"metadata with a zone":       "[fd00:ec2::254%25lo]",
		"loopback with a zone":       "[::1%25lo]",
		"metadata":                   "169.254.169.254",
		"brackets around IPv4":       "[127.0.0.1]",
		"backslash":                  "127.0.0.1\\.example.com",
		"user info of a name":        "example.com@127.0.0.1",
		"user info in full":          "user:password@127.0.0.1",
	}
}

// Each spelling is refused as a URL, and where it is dialed all the same, no connection is made.
func TestSpellings(t *testing.T) {
	_, server := serveKinds(t, "")
	dialSpellings(t, server.Resolver)
}

// dialSpellings checks and dials each spelling. A resolver looks up what is taken for a name, or
// the system's if r is nil: the C library's takes more spellings for addresses than Go's does.
func dialSpellings(t *testing.T, r *net.Resolver) {
	t.Helper()
	var (
		reached nettest.Counter
		p       netguard.Policy
		port    = listenEverywhere(t, &reached)
	)
	for name, host := range spellings() {
		for _, scheme := range []string{"http://", "https://"} {
			raw := scheme + host + ":" + port + "/"
			if got, err := p.CheckURL(raw, rules); err == nil {
				t.Errorf("%s: CheckURL(%q) = %q, want an error", name, raw, got)
			}
			u, err := url.Parse(raw)
			if err != nil {
				continue // nothing can be dialed
			}
			if got := dial(t, &p, r, u.Hostname(), port); got != blocked && got != unresolved {
				t.Errorf("%s: %q: %s, want blocked or unresolved", name, u.Hostname(), got)
			}
		}
	}
	if n := reached.Count(); n != 0 {
		t.Errorf("%d connections reached the listener, want none", n)
	}
	// The same listener is reached where it may be: the test can fail.
	open := &netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if got := dial(t, open, r, "127.0.0.1", port); got != connected {
		t.Errorf("127.0.0.1 once 127.0.0.0/8 is allowed: %s, want connected", got)
	}
}

// listenEverywhere counts the connections to a port of all of this machine's addresses.
func listenEverywhere(t *testing.T, reached *nettest.Counter) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	nettest.Serve(t, l, func(net.Conn) { reached.Add() })
	return nettest.Port(l.Addr().String())
}
