// Package hostport says which subscriptions share an endpoint's host, and with it the limit of a
// host. All stores, and those that join several, go by the same spelling.
package hostport

import (
	"net"
	"net/url"
	"strings"
)

// Of returns the host and port that requests to a URL go to, in one spelling for all URLs of
// the same; empty if the URL is none.
func Of(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case strings.EqualFold(u.Scheme, "http"):
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port)
}
