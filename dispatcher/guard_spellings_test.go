package dispatcher_test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
)

// spellings are the ways in which a URL can write an IPv4 address, 127.0.0.1 for all %s. Not one of them may be dialed.
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

// Subscribe refuses each spelling, and where one is stored all the same, no connection is made.
func TestGuardSpellings(t *testing.T) {
	if !inChild(t, "GODEBUG=netdns=go") {
		return
	}
	guardSpellings(t)
	guardLocalNames(t)
}

// The C library's resolver takes more spellings for addresses than Go's does.
func TestGuardSpellingsWithCgo(t *testing.T) {
	if !inChild(t, "GODEBUG=netdns=cgo") {
		return
	}
	guardSpellings(t)
	guardLocalNames(t)
}

func guardSpellings(t *testing.T) {
	var reached counter
	port := port(listenEverywhere(t, &reached))
	w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}})
	for name, host := range spellings() {
		for _, scheme := range []string{"http://", "https://"} {
			url := scheme + host + ":" + port + "/"
			subscribeRefuses(t, w, name, url)
			a := w.ping(t, url)
			switch class := dispatcher.ErrorClass(a.Error); class {
			case dispatcher.ClassBlockedAddress, dispatcher.ClassDNS:
			case dispatcher.ClassConnect:
				if !strings.HasSuffix(a.Error, "the URL is not one that can be posted to") {
					t.Errorf("%s: %q: %q, want that the URL is no good", name, url, a.Error)
				}
			default:
				t.Errorf("%s: %q: %+v, want a blocked address or a name that does not resolve", name, url, a)
			}
		}
	}
	if n := reached.count(); n != 0 {
		t.Errorf("%d connections reached the listener, want none", n)
	}
	// The same listener is reached where it may be: the test can fail.
	allowed := newWire(t, dispatcher.Options{})
	allowed.ping(t, "http://127.0.0.1:"+port+"/")
	if n := reached.count(); n != 1 {
		t.Errorf("%d connections reached the listener once 127.0.0.0/8 is allowed, want 1", n)
	}
}

// guardLocalNames sends to the names that every machine has for itself, by whichever resolver is in use.
func guardLocalNames(t *testing.T) {
	var reached counter
	port := port(listenEverywhere(t, &reached))
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		host     string
		resolves bool // by all resolvers
	}{
		"localhost":             {"localhost", true},
		"in capitals":           {"LOCALHOST", true},
		"with a dot":            {"localhost.", false},
		"full-width":            {"ｌｏｃａｌｈｏｓｔ", true},
		"soft hyphens":          {"local\u00adhost", true},
		"percent-encoded":       {"%6cocalhost", false},
		"below localhost":       {"metadata.localhost", false},
		"localhost's domain":    {"localhost.localdomain", false},
		"IPv6 localhost":        {"ip6-localhost", false},
		"this machine's name":   {hostname, false},
		"user info of another":  {"example.com@localhost", false},
		"Google's metadata":     {"metadata.google.internal", false},
		"a name with no suffix": {"metadata", false},
	} {
		w := newWire(t, dispatcher.Options{AllowPrefixes: []netip.Prefix{}})
		a := w.ping(t, "http://"+tt.host+":"+port+"/")
		class := dispatcher.ErrorClass(a.Error)
		if class != dispatcher.ClassBlockedAddress && (tt.resolves || a.Error == "") {
			t.Errorf("%s: %q: %+v, want a blocked address", name, tt.host, a)
		}
	}
	if n := reached.count(); n != 0 {
		t.Errorf("%d connections reached the listener, want none", n)
	}
	// The same listener is reached by name where it may be: the test can fail.
	allowed := newWire(t, dispatcher.Options{})
	allowed.ping(t, "http://localhost:"+port+"/")
	if n := reached.count(); n == 0 {
		t.Error("no connection reached the listener once 127.0.0.0/8 is allowed, want one")
	}
}

// listenEverywhere counts the connections to a port of all of this machine's addresses, and closes them.
func listenEverywhere(t *testing.T, reached *counter) string {
	return listenAt(t, ":0", func(c net.Conn) {
		reached.add()
		c.Close()
	})
}
