package dispatcher

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/outhook/outhook/events"
)

// MaxURL is how many bytes a subscription's URL may have.
const MaxURL = 2048

// endpoint checks the URL of a subscription and returns it as it is stored: with the host in its ASCII form. What it
// refuses is refused as a courtesy, so that a mistake shows at once; the guard in the dialer is what protects the host's
// network.
func (d *Dispatcher) endpoint(raw string) (string, error) {
	invalid := func(format string, args ...any) (string, error) {
		return "", &events.InvalidError{Field: "url", Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case raw == "":
		return invalid("is missing; give the address that deliveries are posted to")
	case len(raw) > MaxURL:
		return invalid("has %d bytes; at most %d are allowed", len(raw), MaxURL)
	case !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return invalid("holds a blank, a backslash, a control character or invalid UTF-8; percent-encode it")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return invalid("cannot be parsed; it must look like https://example.com/path")
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || d.o.RequireHTTPS):
		if d.o.RequireHTTPS {
			return invalid("must start with https://")
		}
		return invalid("must start with https:// or http://")
	case u.Opaque != "" || u.Hostname() == "":
		return invalid("has no host")
	case u.User != nil:
		return invalid("must not hold a user name or password; use a header")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return invalid("must not have a fragment (#…): it would not be sent")
	case strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r >= utf8.RuneSelf }):
		return invalid("must have its query percent-encoded")
	}
	if err := checkPort(u); err != nil {
		return invalid("%v", err)
	}
	host, err := d.asciiHost(u.Hostname())
	if err != nil {
		return invalid("%v", err)
	}
	if host == u.Hostname() {
		return raw, nil
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	if out := u.String(); len(out) <= MaxURL {
		return out, nil
	}
	return invalid("has more than %d bytes in its ASCII form", MaxURL)
}

func checkPort(u *url.URL) error {
	if strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("has a colon after the host but no port")
	}
	if u.Port() == "" {
		return nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || !allowsPort(uint16(port)) || u.Port()[0] == '0' {
		return fmt.Errorf("has the port %s; 80, 443 and 1024 to 65535 are allowed", u.Port())
	}
	return nil
}

// hostNames maps names for lookup as browsers do (UTS 46). What stands in ASCII it takes as it is, underscores and hyphens
// wherever they are included: validName looks at that.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))

func validName(ascii string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(ascii, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(ascii) <= 254
}

// asciiHost returns the ASCII form of a host that may be asked for: of an address literal in brackets or not, what it is.
func (d *Dispatcher) asciiHost(host string) (string, error) {
	if strings.Contains(host, ":") { // brackets have held it
		a, err := netip.ParseAddr(host)
		if err != nil || a.Zone() != "" {
			return "", fmt.Errorf("has a host that is not an IPv6 address")
		}
		return host, d.checkLiteral(a)
	}
	ascii, err := hostNames.ToASCII(host)
	if err != nil || !utf8.ValidString(host) || !validName(ascii) {
		return "", fmt.Errorf("has a host that is not a valid name")
	}
	if a, err := netip.ParseAddr(strings.TrimSuffix(ascii, ".")); err == nil {
		return a.String(), d.checkLiteral(a)
	}
	if numeric(ascii) {
		return "", fmt.Errorf("has a host that is an odd spelling of an IPv4 address; write it as four decimal numbers")
	}
	if isASCII(host) {
		return host, nil
	}
	return ascii, nil
}

func (d *Dispatcher) checkLiteral(a netip.Addr) error {
	if !d.guard.allows(a) {
		return fmt.Errorf("has an address that deliveries must not go to; use one that is reachable from the Internet")
	}
	return nil
}

// numeric reports whether the last label of host is a number, decimal, octal or hexadecimal: what the URL Standard
// (https://url.spec.whatwg.org/#ends-in-a-number-checker) and inet_aton take for an IPv4 address, however it is written.
func numeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
