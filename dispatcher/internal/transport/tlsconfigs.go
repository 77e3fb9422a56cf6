package transport

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strconv"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// The names of protocols in a handshake (RFC 7301).
const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
)

// tlsConfigs makes the configurations of handshakes. It may be used by any number of goroutines.
type tlsConfigs struct {
	disableHTTP2 bool
	roots        *x509.CertPool
	sessions     tls.ClientSessionCache
	log          *slog.Logger
}

// newTLSConfigs returns the configurations for the config of a Transport.
func newTLSConfigs(o *Config) *tlsConfigs {
	return &tlsConfigs{
		disableHTTP2: o.DisableHTTP2,
		roots:        o.Roots,
		// As many as h1 keeps idle connections: a session makes the handshake cheaper that follows
		// when such a connection was closed.
		sessions: tls.NewLRUClientSessionCache(4 * o.Concurrency),
		log:      o.Logger,
	}
}

// protocols returns what is offered to an endpoint, the preferred one first.
func (t *tlsConfigs) protocols() []string {
	if t.disableHTTP2 {
		return []string{protocolHTTP1}
	}
	return []string{protocolHTTP2, protocolHTTP1}
}

// config returns a configuration for a handshake with an origin, and the guard to give its error
// to. Each handshake has both of its own, because dialTLS sets the ServerName, and the guard knows
// what panicked; they are rare, as connections are kept.
func (t *tlsConfigs) config(o h1.Origin, protocols ...string) (*tls.Config, *tlsGuard) {
	g := &tlsGuard{log: t.log}
	if o.TLS == nil {
		return &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         protocols,
			ClientSessionCache: tenantSessions{o.Tenant, t.sessions},
			RootCAs:            t.roots,
		}, g
	}
	// The host's configuration is used as it is, except for fields that this package relies on.
	c := o.TLS.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = protocols // the transport must know what comes out of the handshake
	g.protect(c)
	return c, g
}

// tenantSessions are a tenant's in a cache that all share. A resumed session tells the endpoint
// that the one before was by the same client.
type tenantSessions struct {
	tenant string
	all    tls.ClientSessionCache
}

// key is unambiguous: a tenant is any text, and quoting shows where it ends.
func (s tenantSessions) key(name string) string { return strconv.Quote(s.tenant) + name }

// Get implements [tls.ClientSessionCache].
func (s tenantSessions) Get(name string) (*tls.ClientSessionState, bool) {
	return s.all.Get(s.key(name))
}

// Put implements [tls.ClientSessionCache].
func (s tenantSessions) Put(name string, state *tls.ClientSessionState) {
	s.all.Put(s.key(name), state)
}
