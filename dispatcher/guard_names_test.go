package dispatcher_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// onBoth listens on the same port of two addresses: one that deliveries may go to and one that they
// must not.
func onBoth(t *testing.T, allowed, denied *nettest.Counter) (port string) {
	t.Helper()
	serve := func(reached *nettest.Counter) func(net.Conn) {
		return func(c net.Conn) {
			reached.Add()
			nettest.Answering(func(c net.Conn) {
				io.WriteString(c, nettest.AnswerWith(200))
				c.Close()
			})(c)
		}
	}
	first, second := nettest.ListenPair(t, "127.0.0.1", "127.0.0.2")
	nettest.Serve(t, first, serve(allowed))
	nettest.Serve(t, second, serve(denied))
	return nettest.Port(first.Addr().String())
}

// The Dispatcher dials only where the guard allows, for each name that resolves, and an attempt's
// error tells neither the address nor the name. Package netguard has all kinds of names.
func TestGuardNames(t *testing.T) {
	var allowed, denied nettest.Counter
	port := onBoth(t, &allowed, &denied)
	good, bad, mixed, none := nettest.Name("allowed"), nettest.Name("denied"), nettest.Name("mixed"),
		nettest.Name("none")
	names := nettest.ServeNames(t, map[string][]string{
		good + ".":  {"127.0.0.1"},
		bad + ".":   {"127.0.0.2"},
		mixed + ".": {"127.0.0.2", "127.0.0.1"},
		none + ".":  {},
	})
	w := newWire(t,
		dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	w.Resolve(names.Resolver, nil)
	for _, tt := range []struct {
		name, host string
		want       dispatcher.Class // "": it is delivered
	}{
		{"allowed", good, ""},
		{"denied", bad, dispatcher.ClassBlockedAddress},
		{"denied, in capitals with a dot", strings.ToUpper(bad) + ".", dispatcher.ClassBlockedAddress},
		{"one allowed among denied ones", mixed, ""},
		{"without addresses", none, dispatcher.ClassDNS},
		{"unknown", nettest.Name("unknown"), dispatcher.ClassDNS},
	} {
		before := allowed.Count()
		sub := w.subscribe(t, store.Subscription{URL: "http://" + tt.host + ":" + port + "/"})
		a, err := w.Ping(t.Context(), sub.ID)
		if err != nil || dispatcher.ErrorClass(a.Error) != tt.want || (a.Error == "") != (tt.want == "") {
			t.Errorf("%s: %+v, %v; want class %q", tt.name, a, err, tt.want)
		}
		if strings.Contains(a.Error, "127.") || strings.Contains(a.Error, tt.host) {
			t.Errorf("%s: error %q names an address or the host", tt.name, a.Error)
		}
		if got := allowed.Count() - before; (got == 1) != (tt.want == "") {
			t.Errorf("%s: %d connections to the allowed address", tt.name, got)
		}
	}
	if n := denied.Count(); n != 0 {
		t.Errorf("%d connections reached the denied address, want none", n)
	}
}

// A name that resolves to an allowed address at one time and to a denied one at the next gets
// around nothing: what counts is the address that is dialed.
func TestGuardRebinding(t *testing.T) {
	var allowed, denied nettest.Counter
	port := onBoth(t, &allowed, &denied)
	host := nettest.Name("rebind")
	names := nettest.ServeNames(t, map[string][]string{host + ".": {"127.0.0.1", "127.0.0.2"}})
	names.Move()
	w := newWire(t,
		dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	w.Resolve(names.Resolver, nil)
	sub := w.subscribe(t, store.Subscription{URL: "http://" + host + ":" + port + "/"})
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
	if allowed.Count() != rounds/2 || denied.Count() != 0 {
		t.Errorf("%d connections to the allowed address and %d to the denied one, want %d and none",
			allowed.Count(), denied.Count(), rounds/2)
	}
}

// A URL that was stored past all checks is not dialed either.
func TestGuardURLsStoredUnchecked(t *testing.T) {
	l, err := net.Listen("tcp", ":0") // of all addresses
	if err != nil {
		t.Fatal(err)
	}
	var reached nettest.Counter
	nettest.Serve(t, l, func(c net.Conn) {
		reached.Add()
		c.Close()
	})
	port := nettest.Port(l.Addr().String())
	w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}})
	for _, host := range []string{"127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]",
		"[::]"} {
		for _, scheme := range []string{"http://", "https://"} {
			url := scheme + host + ":" + port + "/"
			subscribeRefuses(t, w, "literal", url)
			if a := w.ping(t, url); dispatcher.ErrorClass(a.Error) != dispatcher.ClassBlockedAddress {
				t.Errorf("%s: %+v, want a blocked address", url, a)
			}
		}
	}
	if n := reached.Count(); n != 0 {
		t.Errorf("%d connections reached the listener, want none", n)
	}
	allowed := newWire(t, dispatcher.Options{}) // the same listener is reached where it may be
	allowed.ping(t, "http://127.0.0.1:"+port+"/")
	if n := reached.Count(); n != 1 {
		t.Errorf("%d connections reached the listener once 127.0.0.0/8 is allowed, want 1", n)
	}
}
