package netguard

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// URLRules are what CheckURL holds a URL to, beside a Policy.
type URLRules struct {
	MaxBytes     int  // how long a URL may be; if zero, any length
	RequireHTTPS bool // refuse http
}

// CheckURL checks the URL of an endpoint and returns the form to store: with the host in ASCII.
//
// It is a courtesy, so that a mistake shows at once. The guard in the dialer is what protects the
// host's network. The text of its error follows a name of the field ("url has no host"), says what
// is wrong and what to do, and never repeats a user name or a password. It is a [*BlockedURL] if
// the Policy is the reason.
func (p *Policy) CheckURL(raw string, rules URLRules) (string, error) {
	u, err := parseURL(raw, rules)
	if err != nil {
		return "", err
	}
	if err := p.checkPort(u); err != nil {
		return "", err
	}
	host, err := p.asciiHost(u.Hostname())
	if err != nil {
		return "", err
	}
	if host == u.Hostname() {
		return raw, nil // byte for byte: the owner reads it again as it was written
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	out := u.String()
	if rules.MaxBytes > 0 && len(out) > rules.MaxBytes {
		return "", fmt.Errorf("has more than %d bytes in its ASCII form", rules.MaxBytes)
	}
	return out, nil
}

// parseURL checks everything but the host and the port.
func parseURL(raw string, rules URLRules) (*url.URL, error) {
	switch {
	case raw == "":
		return nil, errors.New("is missing; give the address that deliveries are posted to")
	case rules.MaxBytes > 0 && len(raw) > rules.MaxBytes:
		return nil, fmt.Errorf("has %d bytes; at most %d are allowed", len(raw), rules.MaxBytes)
	case !utf8.ValidString(raw) || strings.ContainsFunc(raw, isForbidden):
		return nil, errors.New(
			"holds a blank, a backslash, a control character or invalid UTF-8; percent-encode it",
		)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("cannot be parsed; it must look like https://example.com/path")
	}
	switch {
	case rules.RequireHTTPS && u.Scheme != "https":
		return nil, errors.New("must start with https://")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must start with https:// or http://")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("has no host; it must look like https://example.com/path")
	case u.User != nil:
		return nil, errors.New("must not hold a user name or password; use a header")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, errors.New("must not have a fragment (#…): it would not be sent")
	case !isASCII(u.RawQuery):
		return nil, errors.New("has a query with characters outside ASCII; percent-encode them")
	}
	return u, nil
}

// isForbidden reports whether r may stand nowhere in a URL. Browsers take a backslash for a slash,
// so a URL with one means different hosts to different readers.
func isForbidden(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }

// checkPort says what is wrong with the port of a URL; one without a port has its scheme's.
func (p *Policy) checkPort(u *url.URL) error {
	if strings.HasSuffix(u.Host, ":") {
		return errors.New("has a colon after the host but no port; add the port, or remove the colon")
	}
	text := u.Port()
	if text == "" {
		text = "443"
		if u.Scheme == "http" {
			text = "80"
		}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || !p.AllowsPort(uint16(port)) || text[0] == '0' {
		return &BlockedURL{reason: fmt.Sprintf("has the port %s; %s are allowed", text, p.ports())}
	}
	return nil
}

// ports names the ports that p allows.
func (p *Policy) ports() string {
	if len(p.Ports) == 0 {
		return "80, 443 and 1024 to 65535"
	}
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(p.Ports)), ", "), "[]")
}

// hostNames maps names for lookup as browsers do (UTS 46). It takes ASCII names as they are, with
// underscores and with hyphens anywhere: isName checks those.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false),
	idna.CheckHyphens(false))

// isName reports whether an ASCII host can be a name in the DNS (RFC 1035, with underscores).
func isName(ascii string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	for label := range strings.SplitSeq(strings.TrimSuffix(ascii, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), allowed) != "" {
			return false
		}
	}
	return len(ascii) <= 254
}

// asciiHost returns the ASCII form of a host, and says what is wrong with one that p does not
// allow or that is written in a way that readers understand differently.
func (p *Policy) asciiHost(host string) (string, error) {
	if strings.Contains(host, ":") { // only brackets can have held it
		a, err := netip.ParseAddr(host)
		if err != nil || a.Zone() != "" {
			return "", errors.New("has a host in brackets that is not an IPv6 address; correct it")
		}
		return host, p.checkLiteral(a)
	}
	ascii, err := hostNames.ToASCII(host)
	if err != nil || !utf8.ValidString(host) || !isName(ascii) {
		return "", errors.New("has a host that is not a valid name; correct it")
	}
	if a, err := netip.ParseAddr(strings.TrimSuffix(ascii, ".")); err == nil {
		return a.String(), p.checkLiteral(a)
	}
	if endsInNumber(ascii) {
		return "", errors.New(
			"has a host that is an odd spelling of an IPv4 address; write it as four decimal numbers",
		)
	}
	if isLoopbackName(ascii) && !p.AllowsLoopback() {
		return "", p.checkLiteral(loopback4)
	}
	if isASCII(host) {
		return host, nil
	}
	return ascii, nil
}

// BlockedURL is the error of CheckURL for a URL that is well-formed and says by itself that it
// leads where deliveries must not go. It is an [ErrBlocked].
type BlockedURL struct {
	// Loopback says that it leads to the sender's own machine, which AllowLoopback would allow.
	Loopback bool

	reason string
}

// Error implements error.
func (e *BlockedURL) Error() string { return e.reason }

// Is makes it an ErrBlocked for errors.Is.
func (*BlockedURL) Is(target error) bool { return target == ErrBlocked }

// checkLiteral refuses an address that could not be dialed. Names are checked only when they are.
func (p *Policy) checkLiteral(a netip.Addr) error {
	switch {
	case p.Allows(a):
		return nil
	case a.Unmap().IsLoopback() && !contains(p.Deny, a.Unmap()):
		return &BlockedURL{Loopback: true, reason: "has an address of the sender's own machine, which " +
			"deliveries must not go to; use one that is reachable from the Internet, or for development " +
			"set dispatcher.Options.AllowLoopback"}
	}
	return &BlockedURL{reason: "has an address that deliveries must not go to; use one that is " +
		"reachable from the Internet"}
}

// endsInNumber reports whether the last label of host is a number, decimal, octal or hexadecimal:
// the URL Standard (https://url.spec.whatwg.org/#ends-in-a-number-checker) and inet_aton take such
// a host for an IPv4 address.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isASCII reports whether s has ASCII characters alone.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
