package send_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// mutual serves an endpoint that wants a certificate by ca, and returns it with what it got: the
// common names of the clients by connection.
func mutual(t *testing.T, ca *nettest.Authority, proto string, min, max uint16) (url string,
	got func() map[string][]string) {
	t.Helper()
	config := ca.Config(t, "127.0.0.1")
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool
	config.NextProtos, config.MinVersion, config.MaxVersion = []string{proto}, min, max
	var mu sync.Mutex
	names := make(map[string][]string)
	address := nettest.ServeTLS(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		names[r.RemoteAddr] = append(names[r.RemoteAddr], r.TLS.PeerCertificates[0].Subject.CommonName)
	}), config)
	return "https://" + address, func() map[string][]string {
		mu.Lock()
		defer mu.Unlock()
		return names
	}
}

// identity is a configuration with a certificate for the name, which trusts ca.
func identity(t *testing.T, ca *nettest.Authority, name string) *tls.Config {
	t.Helper()
	c := ca.Config(t, name, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	c.RootCAs = ca.Pool
	c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return c
}

// Each subscription has its certificate, and no connection carries requests of two.
func TestClientCertificates(t *testing.T) {
	ca := nettest.NewAuthority(t)
	for _, proto := range []string{"h2", "http/1.1"} {
		endpoint, got := mutual(t, ca, proto, tls.VersionTLS12, tls.VersionTLS13)
		configs := map[string]*tls.Config{"a": identity(t, ca, "a"), "b": identity(t, ca, "b")}
		s := network(t, func(o *send.Options) {
			o.Hooks.TLS = func(sub store.Subscription) *tls.Config { return configs[sub.Name] }
		})
		for range 3 {
			for name := range configs {
				c := newClaim(endpoint)
				c.Subscription.Name = name // of one tenant
				if r := s.Send(t.Context(), c, policy, ""); r.Attempt.Status != 200 {
					t.Fatalf("%s: %s: %+v, want 200", proto, name, r.Attempt)
				}
			}
		}
		conns := got()
		if len(conns) != 2 {
			t.Errorf("%s: %d connections, want one for each certificate", proto, len(conns))
		}
		for _, names := range conns {
			if len(names) != 3 || names[0] != names[1] || names[1] != names[2] {
				t.Errorf("%s: a connection had requests of %q, want three of one", proto, names)
			}
		}
		// Another configuration holds at once, although a connection is idle.
		configs["a"] = identity(t, ca, "changed")
		c := newClaim(endpoint)
		c.Subscription.Name = "a"
		s.Send(t.Context(), c, policy, "")
		found := false
		for _, names := range got() {
			found = found || names[0] == "changed"
		}
		if !found {
			t.Errorf("%s: no request came with the certificate that was changed: %v", proto, got())
		}
	}
}

// What the hook allows does not go below TLS 1.2, and the guard holds with it.
func TestTLSHookIsBounded(t *testing.T) {
	ca := nettest.NewAuthority(t)
	endpoint, _ := mutual(t, ca, "http/1.1", tls.VersionTLS10, tls.VersionTLS11)
	hook := func(store.Subscription) *tls.Config {
		c := identity(t, ca, "a")
		c.MinVersion = tls.VersionTLS10
		return c
	}
	s := network(t, func(o *send.Options) { o.Hooks.TLS = hook })
	if a := attempt(t, s, endpoint, ""); send.Class(a.Error) != send.ClassTLS {
		t.Errorf("TLS 1.1: %+v, want class tls", a)
	}
	s = network(t, func(o *send.Options) {
		o.Hooks.TLS = hook
		o.Guard.Allow = nil
	})
	if a := attempt(t, s, endpoint, ""); send.Class(a.Error) != send.ClassBlockedAddress {
		t.Errorf("without AllowPrefixes: %+v, want class blocked_address", a)
	}
}

// A panic of the hook, or of a function in what it returns, fails the attempt alone, also where
// net/http makes the handshake.
func TestTLSHookThatPanics(t *testing.T) {
	ca := nettest.NewAuthority(t)
	endpoint, _ := mutual(t, ca, "http/1.1", tls.VersionTLS12, tls.VersionTLS12)
	with := func(change func(*tls.Config)) func(store.Subscription) *tls.Config {
		return func(store.Subscription) *tls.Config {
			c := identity(t, ca, "a")
			change(c)
			return c
		}
	}
	for name, hook := range map[string]func(store.Subscription) *tls.Config{
		"the hook": func(store.Subscription) *tls.Config { panic(canary) },
		"GetClientCertificate": with(func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				panic(canary)
			}
		}),
		"VerifyPeerCertificate": with(func(c *tls.Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { panic(canary) }
		}),
		"VerifyConnection": with(func(c *tls.Config) {
			c.VerifyConnection = func(tls.ConnectionState) error { panic(canary) }
		}),
		"Rand": with(func(c *tls.Config) { c.Rand = panics{} }),
		"Time": with(func(c *tls.Config) {
			c.Time = func() time.Time { panic(canary) }
		}),
		"KeyLogWriter":           with(func(c *tls.Config) { c.KeyLogWriter = panics{} }),
		"ClientSessionCache.Get": with(func(c *tls.Config) { c.ClientSessionCache = panics{} }),
		"ClientSessionCache.Put": with(func(c *tls.Config) { c.ClientSessionCache = panicsLater{} }),
		"PrivateKey.Public": with(func(c *tls.Config) {
			c.Certificates[0].PrivateKey = panics{}
		}),
		"PrivateKey.Sign": with(func(c *tls.Config) {
			c.Certificates[0].PrivateKey = panicsSigning{c.Certificates[0].PrivateKey.(crypto.Signer)}
		}),
		"PrivateKey.SignMessage": with(func(c *tls.Config) {
			c.Certificates[0].PrivateKey = panicsSigningMessages{
				panicsSigning{c.Certificates[0].PrivateKey.(crypto.Signer)}}
		}),
		"a key of GetClientCertificate": with(func(c *tls.Config) {
			cert := c.Certificates[0]
			cert.PrivateKey = panicsSigning{cert.PrivateKey.(crypto.Signer)}
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &cert, nil
			}
		}),
	} {
		for _, proxied := range []bool{false, true} {
			s := network(t, func(o *send.Options) {
				o.Hooks.TLS = hook
				if proxied {
					o.Proxy = &url.URL{Scheme: "http", Host: nettest.Tunnel(t)}
				}
			})
			want := "sender: it failed while sending"
			switch name {
			case "the hook":
				want = "sender: its TLS failed"
			case "ClientSessionCache.Put": // by then the connection stands
				want = ""
			}
			if a := attempt(t, s, endpoint, ""); a.Error != want {
				t.Errorf("%s, by a proxy: %v: %q, want %q", name, proxied, a.Error, want)
			}
		}
	}
}

// panics is what a host may give, and each of its methods panics.
type panics struct{}

func (panics) Read([]byte) (int, error)                                  { panic(canary) }
func (panics) Write([]byte) (int, error)                                 { panic(canary) }
func (panics) Get(string) (*tls.ClientSessionState, bool)                { panic(canary) }
func (panics) Put(string, *tls.ClientSessionState)                       { panic(canary) }
func (panics) Public() crypto.PublicKey                                  { panic(canary) }
func (panics) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { panic(canary) }

// panicsLater is a cache that is empty and takes nothing.
type panicsLater struct{ panics }

func (panicsLater) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

// panicsSigning is a key that shows its public half alone.
type panicsSigning struct{ crypto.Signer }

func (panicsSigning) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { panic(canary) }

type panicsSigningMessages struct{ panicsSigning }

func (panicsSigningMessages) SignMessage(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	panic(canary)
}

// A hook that blocks holds up no attempt of another subscription, though it be at the same
// endpoint.
func TestTLSHookThatBlocks(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var got connections
	endpoint := "https://" + nettest.ServeTLS(t, &got, ca.Config(t, "127.0.0.1"))
	blocked, release := make(chan struct{}), make(chan struct{})
	config := &tls.Config{RootCAs: ca.Pool}
	s := network(t, func(o *send.Options) {
		o.Hooks.TLS = func(sub store.Subscription) *tls.Config {
			if sub.Name == "blocks" {
				close(blocked)
				<-release
			}
			return config
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		c := newClaim(endpoint)
		c.Subscription.Name = "blocks"
		s.Send(t.Context(), c, policy, "")
	}()
	nettest.Receive(t, blocked, "the call that blocks")
	if a := attempt(t, s, endpoint, ""); a.Status != 200 {
		t.Errorf("%+v, want 200", a)
	}
	close(release)
	nettest.Receive(t, done, "the attempt whose hook blocked")
}

// A tenant's TLS sessions are resumed by that tenant alone.
func TestSessionsOfTenants(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var (
		mu      sync.Mutex
		resumed []bool
	)
	config := ca.Config(t, "127.0.0.1")
	config.NextProtos = []string{"http/1.1"}
	endpoint := "https://" + nettest.ServeTLS(t,
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			resumed = append(resumed, r.TLS.DidResume)
			w.Header().Set("Connection", "close")
		}), config)
	s := network(t, func(o *send.Options) { o.Roots = ca.Pool })
	for _, tenant := range []string{"a", "a", "b", "b"} {
		attempt(t, s, endpoint, tenant)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(resumed) != 4 || resumed[0] || !resumed[1] || resumed[2] || !resumed[3] {
		t.Errorf("resumed: %v, want the second of each tenant", resumed)
	}
}
