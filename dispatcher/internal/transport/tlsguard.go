package transport

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// tlsGuard stands between crypto/tls and the functions of a host's configuration, for one
// connection, so that a panic of one fails the attempt and nothing else.
//
// To recover around the handshake would not do. Through a proxy net/http makes it in a goroutine of
// its own, and over any connection that net/http reads, session tickets arrive in another; there a
// panic ends the host's process. And crypto/tls holds a mutex of the whole process while it calls a
// KeyLogWriter, without a defer: after a panic, every other handshake with one would wait for ever.
type tlsGuard struct {
	log      *slog.Logger
	panicked atomic.Bool
}

// cause returns ErrPanic in place of the error of a handshake, if a function of the host panicked
// in it: crypto/tls makes a text of some errors, in which ErrPanic is not to be found.
func (g *tlsGuard) cause(err error) error {
	if err != nil && g.panicked.Load() {
		return ErrPanic
	}
	return err
}

// recovered is deferred around a call of the function of that name. err may be nil.
func (g *tlsGuard) recovered(name string, err *error) {
	p := recover()
	if p == nil {
		return
	}
	g.panicked.Store(true)
	g.log.Error("outhook: a function of Options.TLS panicked", "function", name,
		"panic", fmt.Sprint(p))
	if err != nil {
		*err = ErrPanic
	}
}

// protect replaces every function and interface in c by one that survives a panic. Those that can
// return no error make the handshake fail at its end, in VerifyConnection. What only a server calls
// stays, and so do the constraints in RootCAs (x509.CertPool.AddCertWithConstraint), which nobody
// can reach.
func (g *tlsGuard) protect(c *tls.Config) {
	verify := c.VerifyConnection
	c.VerifyConnection = func(state tls.ConnectionState) (err error) {
		if g.panicked.Load() {
			return ErrPanic
		}
		if verify == nil {
			return nil
		}
		defer g.recovered("VerifyConnection", &err)
		return verify(state)
	}
	if f := c.VerifyPeerCertificate; f != nil {
		c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) (err error) {
			defer g.recovered("VerifyPeerCertificate", &err)
			return f(raw, chains)
		}
	}
	if f := c.EncryptedClientHelloRejectionVerify; f != nil {
		c.EncryptedClientHelloRejectionVerify = func(state tls.ConnectionState) (err error) {
			defer g.recovered("EncryptedClientHelloRejectionVerify", &err)
			return f(state)
		}
	}
	if f := c.GetClientCertificate; f != nil {
		c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (_ *tls.Certificate, err error) {
			defer g.recovered("GetClientCertificate", &err)
			cert, err := f(r)
			if cert != nil {
				guarded := g.certificate(*cert)
				cert = &guarded
			}
			return cert, err
		}
	}
	if len(c.Certificates) > 0 {
		c.Certificates = slices.Clone(c.Certificates) // the host's own stay as they are
		for i := range c.Certificates {
			c.Certificates[i] = g.certificate(c.Certificates[i])
		}
	}
	if f := c.Time; f != nil {
		c.Time = func() (now time.Time) {
			now = time.Now()
			defer g.recovered("Time", nil)
			return f()
		}
	}
	if c.Rand != nil {
		c.Rand = &guardedRand{g, c.Rand}
	}
	if c.KeyLogWriter != nil {
		c.KeyLogWriter = &guardedKeyLog{g, c.KeyLogWriter}
	}
	if c.ClientSessionCache != nil {
		c.ClientSessionCache = &guardedSessions{g, c.ClientSessionCache}
	}
}

// certificate returns a certificate whose key, if it is one of the host's own making such as that
// of a hardware module, survives a panic.
func (g *tlsGuard) certificate(c tls.Certificate) (out tls.Certificate) {
	switch key := c.PrivateKey.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
	case crypto.Signer:
		out = c
		defer g.recovered("PrivateKey.Public", nil)
		guarded := guardedSigner{g, key, key.Public()}
		out.PrivateKey = &guarded
		if _, is := key.(crypto.MessageSigner); is {
			out.PrivateKey = &guardedMessageSigner{guarded}
		}
		return out
	}
	return c
}

type guardedRand struct {
	g *tlsGuard
	r io.Reader
}

// Read implements [io.Reader].
func (r *guardedRand) Read(p []byte) (n int, err error) {
	defer r.g.recovered("Rand", &err)
	return r.r.Read(p)
}

type guardedKeyLog struct {
	g *tlsGuard
	w io.Writer
}

// Write implements [io.Writer].
func (w *guardedKeyLog) Write(p []byte) (n int, err error) {
	defer w.g.recovered("KeyLogWriter", &err)
	return w.w.Write(p)
}

type guardedSessions struct {
	g     *tlsGuard
	cache tls.ClientSessionCache
}

// Get implements [tls.ClientSessionCache].
func (s *guardedSessions) Get(key string) (session *tls.ClientSessionState, ok bool) {
	defer s.g.recovered("ClientSessionCache.Get", nil)
	return s.cache.Get(key)
}

// Put implements [tls.ClientSessionCache]. It is called when the handshake is over, or nearly: a
// panic costs the session, and the attempt goes on.
func (s *guardedSessions) Put(key string, session *tls.ClientSessionState) {
	defer s.g.recovered("ClientSessionCache.Put", nil)
	s.cache.Put(key, session)
}

type guardedSigner struct {
	g      *tlsGuard
	key    crypto.Signer
	public crypto.PublicKey
}

// Public implements [crypto.Signer].
func (s *guardedSigner) Public() crypto.PublicKey { return s.public }

// Sign implements [crypto.Signer].
func (s *guardedSigner) Sign(random io.Reader, digest []byte,
	o crypto.SignerOpts) (signature []byte, err error) {
	defer s.g.recovered("PrivateKey.Sign", &err)
	return s.key.Sign(random, digest, o)
}

type guardedMessageSigner struct{ guardedSigner }

// SignMessage implements [crypto.MessageSigner].
func (s *guardedMessageSigner) SignMessage(random io.Reader, message []byte,
	o crypto.SignerOpts) (signature []byte, err error) {
	defer s.g.recovered("PrivateKey.SignMessage", &err)
	return s.key.(crypto.MessageSigner).SignMessage(random, message, o)
}
