package netguard_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// machine are URLs that lead to the machine they are used on, as far as they say so themselves.
var machine = []string{"http://127.0.0.1:8080/", "http://127.9.9.9:8080/", "http://[::1]:8080/",
	"http://[::ffff:127.0.0.1]:8080/", "http://localhost:8080/", "http://LocalHost.:8080/",
	"http://app.localhost:8080/", "http://localhost.localdomain:8080/", "http://ip6-localhost:8080/"}

// A URL of the machine itself is refused with a word about what to do, and allowed by the prefixes
// of Loopback.
func TestCheckURLLoopback(t *testing.T) {
	var closed netguard.Policy
	open := &netguard.Policy{Allow: netguard.Loopback()}
	for _, raw := range machine {
		var blocked *netguard.BlockedURL
		_, err := closed.CheckURL(raw, rules)
		if !errors.As(err, &blocked) || !blocked.Loopback || !errors.Is(err, netguard.ErrBlocked) ||
			!strings.Contains(err.Error(), "AllowLoopback") {
			t.Errorf("%s: got %v, want that AllowLoopback would allow it", raw, err)
		}
		if _, err := open.CheckURL(raw, rules); err != nil {
			t.Errorf("%s, allowed: %v", raw, err)
		}
	}
	for _, raw := range []string{"http://localhost.example.com/", "http://mylocalhost/"} {
		if _, err := closed.CheckURL(raw, rules); err != nil {
			t.Errorf("%s: %v, want no error", raw, err)
		}
	}
	// A name is allowed by either address, and what is denied in any case is not a matter of an
	// option.
	one := &netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("::1/128")}}
	if _, err := one.CheckURL("http://localhost/", rules); err != nil {
		t.Errorf("localhost where ::1 is allowed: %v", err)
	}
	denied := &netguard.Policy{Allow: netguard.Loopback(), Deny: netguard.Loopback()}
	var blocked *netguard.BlockedURL
	if _, err := denied.CheckURL(machine[0], rules); !errors.As(err, &blocked) || blocked.Loopback ||
		strings.Contains(err.Error(), "AllowLoopback") {
		t.Errorf("denied: got %v, want an error that does not name AllowLoopback", err)
	}
	if denied.AllowsLoopback() || closed.AllowsLoopback() || !open.AllowsLoopback() {
		t.Error("AllowsLoopback is not what Allows says")
	}
}

// With Ports, no other is dialed or taken, and the port of a URL without one is its scheme's.
func TestPorts(t *testing.T) {
	p := &netguard.Policy{Ports: []uint16{443, 8443, 25}}
	for port, want := range map[string]bool{"443": true, "8443": true, "25": true, "80": false,
		"8080": false, "444": false, "22": false} {
		if got := controls(p, "tcp4", "8.8.8.8:"+port); got != want {
			t.Errorf("port %s allowed: %v, want %v", port, got, want)
		}
		_, err := p.CheckURL("https://example.com:"+port+"/", rules)
		if (err == nil) != want {
			t.Errorf("a URL with port %s: %v, want allowed: %v", port, err, want)
		}
		if !want && (!errors.Is(err, netguard.ErrBlocked) ||
			!strings.Contains(err.Error(), "443, 8443, 25 are allowed")) {
			t.Errorf("a URL with port %s: %v, want an error that names the ports", port, err)
		}
	}
	if _, err := p.CheckURL("https://example.com/", rules); err != nil {
		t.Errorf("https without a port: %v", err)
	}
	if _, err := p.CheckURL("http://example.com/", rules); err == nil ||
		!strings.Contains(err.Error(), "has the port 80") {
		t.Errorf("http without a port: %v, want that 80 is not allowed", err)
	}
}
