package send

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
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

func newTLSConfigs(o *Options) *tlsConfigs {
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

// config returns a configuration for a handshake with an origin. Each handshake has one of its own,
// because dialTLS sets its ServerName; they are rare, as connections are kept.
func (t *tlsConfigs) config(o h1.Origin, protocols ...string) *tls.Config {
	if o.TLS == nil {
		return &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         protocols,
			ClientSessionCache: tenantSessions{o.Tenant, t.sessions},
			RootCAs:            t.roots,
		}
	}
	// What the host gives holds, but for what this package must be able to rely on.
	c := o.TLS.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = protocols // the transport must know what comes out of the handshake
	t.protect(c)
	return c
}

// protect has a panic of a function in a host's configuration end as errPanic of the handshake.
// Through a proxy, net/http makes the handshake in a goroutine where nobody recovers, and a panic
// would end the host's process.
func (t *tlsConfigs) protect(c *tls.Config) {
	recovered := func(name string, err *error) {
		if p := recover(); p != nil {
			t.log.Error("outhook: a function of Options.TLS panicked", "function", name, "panic",
				fmt.Sprint(p))
			*err = errPanic
		}
	}
	if f := c.GetClientCertificate; f != nil {
		c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (_ *tls.Certificate, err error) {
			defer recovered("GetClientCertificate", &err)
			return f(r)
		}
	}
	if f := c.VerifyPeerCertificate; f != nil {
		c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) (err error) {
			defer recovered("VerifyPeerCertificate", &err)
			return f(raw, chains)
		}
	}
	if f := c.VerifyConnection; f != nil {
		c.VerifyConnection = func(state tls.ConnectionState) (err error) {
			defer recovered("VerifyConnection", &err)
			return f(state)
		}
	}
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
