package dispatcher_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// onBoth listens on the same port of two addresses: one that deliveries may go to and one that they must not.
func onBoth(t *testing.T, allowed, denied *counter) (port string) {
	t.Helper()
	serve := func(reached *counter) func(net.Conn) {
		return func(c net.Conn) {
			reached.add()
			answering(func(c net.Conn) {
				io.WriteString(c, answerWith(200))
				c.Close()
			})(c)
		}
	}
	for range 20 { // until a port is free on both
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		_, port, _ = net.SplitHostPort(l.Addr().String())
		if m, err := net.Listen("tcp", "127.0.0.2:"+port); err == nil {
			m.Close()
			listenAt(t, "127.0.0.1:"+port, serve(allowed))
			listenAt(t, "127.0.0.2:"+port, serve(denied))
			return port
		}
	}
	t.Fatal("no port is free on both 127.0.0.1 and 127.0.0.2")
	return ""
}

// namesOfAllKinds are names that resolve to what may be dialed and to what may not.
func namesOfAllKinds() map[string][]string {
	return map[string][]string{
		"allowed.test.":       {"127.0.0.1"},
		"denied.test.":        {"127.0.0.2"},
		"mapped.test.":        {"::ffff:127.0.0.2"},
		"mixed.test.":         {"127.0.0.2", "127.0.0.1"},
		"all-denied.test.":    {"127.0.0.2", "::ffff:127.0.0.2", "::1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "0.0.0.0"},
		"nat64.test.":         {"64:ff9b::7f00:2"},
		"no-address.test.":    {},
		"localhost.test.":     {"127.0.0.2"},
		"xn--bcher-kva.test.": {"127.0.0.2"},
		"rebind.test.":        {"127.0.0.1", "127.0.0.2"},
	}
}

func TestGuardNames(t *testing.T) {
	guardNames(t, serveNames(t, namesOfAllKinds()).resolver)
}

// guardNames sends to namesOfAllKinds, which a resolver, or else the system's, looks up.
func guardNames(t *testing.T, resolver *net.Resolver) {
	var allowed, denied counter
	port := onBoth(t, &allowed, &denied)
	w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if resolver != nil {
		w.Resolve(resolver, nil)
	}
	for _, tt := range []struct {
		name, host string
		want       dispatcher.Class // "": it is delivered
	}{
		{"allowed", "allowed.test", ""},
		{"denied", "denied.test", dispatcher.ClassBlockedAddress},
		{"denied, in capitals with a dot", "DENIED.test.", dispatcher.ClassBlockedAddress},
		{"mapped to a denied one", "mapped.test", dispatcher.ClassBlockedAddress},
		{"one allowed among denied ones", "mixed.test", ""},
		{"many denied ones", "all-denied.test", dispatcher.ClassBlockedAddress},
		{"NAT64 of a denied one", "nat64.test", dispatcher.ClassBlockedAddress},
		{"international", "bücher.test", dispatcher.ClassBlockedAddress},
		{"without addresses", "no-address.test", dispatcher.ClassDNS},
		{"unknown", "unknown.test", dispatcher.ClassDNS},
	} {
		before := allowed.count()
		sub := w.subscribe(t, store.Subscription{URL: "http://" + tt.host + ":" + port + "/"})
		a, err := w.Ping(t.Context(), sub.ID)
		if err != nil || dispatcher.ErrorClass(a.Error) != tt.want || (a.Error == "") != (tt.want == "") {
			t.Errorf("%s: %+v, %v; want class %q", tt.name, a, err, tt.want)
		}
		if strings.Contains(a.Error, "127.") || strings.Contains(a.Error, tt.host) {
			t.Errorf("%s: error %q names an address or the host", tt.name, a.Error)
		}
		if got := allowed.count() - before; (got == 1) != (tt.want == "") {
			t.Errorf("%s: %d connections to the allowed address", tt.name, got)
		}
	}
	if n := denied.count(); n != 0 {
		t.Errorf("%d connections reached the denied address, want none", n)
	}
}

// A name that resolves to an allowed address at one time and to a denied one at the next gets around nothing: what
// counts is the address that is dialed.
func TestGuardRebinding(t *testing.T) {
	names := serveNames(t, namesOfAllKinds())
	names.move()
	guardRebinding(t, names.resolver)
}

// guardRebinding sends to the name that moves, which a resolver, or else the system's, looks up.
func guardRebinding(t *testing.T, resolver *net.Resolver) {
	var allowed, denied counter
	port := onBoth(t, &allowed, &denied)
	w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if resolver != nil {
		w.Resolve(resolver, nil)
	}
	sub := w.subscribe(t, store.Subscription{URL: "http://rebind.test:" + port + "/"})
	const rounds = 10
	results := make(map[string]int)
	for range rounds {
		a, err := w.Ping(t.Context(), sub.ID)
		if err != nil {
			t.Fatal(err)
		}
		results[fmt.Sprint(a.Status, dispatcher.ErrorClass(a.Error))]++
	}
	if results["200"] != rounds/2 || results["0blocked_address"] != rounds/2 {
		t.Errorf("attempts ended in %v, want half of %d delivered and half blocked", results, rounds)
	}
	if allowed.count() != rounds/2 || denied.count() != 0 {
		t.Errorf("%d connections to the allowed address and %d to the denied one, want %d and none", allowed.count(), denied.count(), rounds/2)
	}
}
