package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"syscall"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/clientpool"
	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// idleConnTimeout is how long a connection is kept for the next delivery to its host. It is shorter
// than the minute after which common servers and balancers close one, so that a request seldom
// meets a close.
const idleConnTimeout = 30 * time.Second

var (
	// ErrProxy says that the proxy answered a CONNECT with anything but 200.
	ErrProxy = errors.New("transport: the proxy refuses the endpoint")

	// ErrHandshake wraps what went wrong once the connection stood.
	ErrHandshake = errors.New("transport: TLS handshake")

	// ErrPanic says that a function of a host's TLS configuration panicked in the handshake.
	ErrPanic = errors.New("transport: a function of the TLS configuration panicked")
)

// Config is what a Transport is made of. All must be set but for those that say so.
type Config struct {
	Proxy        *url.URL         // if nil, none
	DisableHTTP2 bool             // HTTP/1.1 alone
	Guard        *netguard.Policy // where connections may go; a proxy is not asked about
	Concurrency  int              // requests at once, by which idle connections are bounded
	Timeout      time.Duration    // of a request, usually

	// The most that an answer has of headers, and that is read of its body before it is closed.
	MaxResponseHeader, MaxResponseBody int

	Resolver *net.Resolver  // looks up names; if nil, the system's
	Roots    *x509.CertPool // whom certificates are trusted by; if nil, the system's
	Logger   *slog.Logger   // panics in a host's TLS configuration, as Error
}

// Transport sends requests over connections of its own: over h1 where it can, as that costs the
// least CPU, and over the pool of net/http's connections otherwise. It may be used by any number of
// goroutines.
type Transport struct {
	dial       h1.DialFunc // guarded, unless there is a proxy
	proxy      *url.URL
	tls        *tlsConfigs
	h1         *h1.Transport // nil if the pool carries HTTP/1.1 too
	pool       *clientpool.Pool
	handshakes *handshakes
}

// New returns a Transport without connections. It starts no goroutine; CloseIdleConnections is all
// that it needs at its end.
func New(o *Config) *Transport {
	d := &net.Dialer{} // to the proxy, which is the host's own choice
	if o.Proxy == nil {
		d = o.Guard.Dialer()
	}
	d.Resolver = o.Resolver
	t := &Transport{
		dial:       timedDial(d),
		proxy:      o.Proxy,
		tls:        newTLSConfigs(o),
		handshakes: newHandshakes(),
		pool: clientpool.New(clientpool.Config{
			// Each may have a goroutine that reads, and there are as many requests at most.
			Max:               o.Concurrency,
			IdleTimeout:       idleConnTimeout,
			MaxResponseHeader: int64(o.MaxResponseHeader),
			HTTP2: &http.HTTP2Config{
				MaxReceiveBufferPerStream: o.MaxResponseBody,
				// Attempts share a connection. A ping finds out one that has died in silence, and
				// one that takes no more bytes is closed before it holds up an attempt for longer
				// than its lease.
				SendPingTimeout:  o.Timeout,
				PingTimeout:      o.Timeout,
				WriteByteTimeout: o.Timeout / 2,
			},
		}),
	}
	if o.Proxy == nil && h1.Supported {
		t.h1 = h1.New(h1.Config{
			Dial:              t.dial,
			DialTLS:           t.dialTLS,
			MaxResponseHeader: o.MaxResponseHeader,
			MaxIdle:           4 * o.Concurrency,
			// Subscriptions often share a host. With 64 of 256 kept, the others were opened again
			// and again: 92 µs for a delivery instead of 70, with ten subscriptions.
			MaxIdlePerOrigin: o.Concurrency,
			IdleTimeout:      idleConnTimeout,
		})
	}
	return t
}

// timedDial returns the DialContext of a dialer, which notes in the Phases of its request how long
// it takes. The dialer is changed.
func timedDial(d *net.Dialer) h1.DialFunc {
	control := d.ControlContext
	// It is called when the name is resolved, before each address that is dialed.
	d.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		h1.PhasesOf(ctx).Resolved()
		if control == nil {
			return nil
		}
		return control(ctx, network, address, c)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		phases := h1.PhasesOf(ctx)
		phases.Dialing()
		c, err := d.DialContext(ctx, network, address)
		if err == nil {
			phases.Connected()
		}
		return c, err
	}
}

// Send sends a request of an origin, whose URL has its scheme and host, and returns the answer. If
// the endpoint ends a kept connection without an answer, or says that it has not taken the request,
// it sends the request once more, and then no more: GetBody, which both ways of sending need for
// that, must fail when it is called a second time. A request without a Body needs none.
func (t *Transport) Send(o h1.Origin, req *http.Request) (*http.Response, error) {
	res, replay, err := t.once(o, req)
	if err == nil || !replay || req.Context().Err() != nil {
		return res, err
	}
	// Both tries share the context, and so the attempt's deadline. GetBody also counts those of h1,
	// which repeats a request of its own.
	again := *req
	if req.Body != nil { // an OPTIONS of a handshake has none
		var failed error
		if again.Body, failed = req.GetBody(); failed != nil {
			return nil, err
		}
	}
	res, _, err = t.once(o, &again)
	return res, err
}

// once sends a request; replay is that of Client.RoundTrip. HTTP/1.1 goes by h1, the rest over
// connections of the pool.
//
// An origin is in one of three states, which decide who makes the next connection:
//
//   - it speaks HTTP/1.1, or must: h1 sends, and dials if it has no idle connection;
//   - it speaks HTTP/2: the pool has a client for it;
//   - nobody knows: one request leads. It goes by h1, whose dial fails with foundHTTP2 if the
//     endpoint prefers that, and the others wait for what comes out of it.
func (t *Transport) once(o h1.Origin, req *http.Request) (_ *http.Response, replay bool, _ error) {
	// h1 calls no httptrace. Where a Tracer has put one into the context, net/http sends, which
	// does.
	byH1 := t.h1 != nil && httptrace.ContextClientTrace(req.Context()) == nil
	if byH1 && !t.mayBeHTTP2(o) {
		res, err := t.h1.Send(o, req)
		return res, false, err
	}
	c, lead, err := t.share(req.Context(), o)
	if err != nil {
		// It has waited for the dial of another request until its own context ended. It is reported
		// as a dial, so that it counts as unreachable like that other request.
		err = &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	if lead != nil {
		defer t.handshakes.leave(o, lead)
	}
	if c == nil && err == nil {
		if byH1 {
			res, err := t.h1.Send(o, req)
			var found *foundHTTP2
			if !errors.As(err, &found) {
				return res, false, err
			}
			c = found.client // nothing was sent, and the body is as it was
		} else {
			c, err = t.open(req.Context(), o, h1.Address(req.URL))
		}
	}
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, false, err
	}
	return c.RoundTrip(req)
}

// mayBeHTTP2 reports whether a connection to an origin may speak HTTP/2, for all that is known.
func (t *Transport) mayBeHTTP2(o h1.Origin) bool {
	return o.Scheme == "https" && t.proxy == nil && !t.tls.disableHTTP2 && !t.handshakes.isHTTP1(o)
}

// share returns a client of the pool for an origin; nil if the caller is to open a connection. If
// the others wait for that, it returns what the caller must give to leave.
func (t *Transport) share(ctx context.Context, o h1.Origin) (*clientpool.Client, *handshake,
	error) {
	for {
		if c := t.pool.Take(o); c != nil || !t.mayBeHTTP2(o) {
			return c, nil, nil
		}
		// One handshake at a time with an endpoint that may speak HTTP/2, so that the requests of a
		// burst share the connection that comes out of it.
		lead, failed, err := t.handshakes.enter(ctx, o)
		if lead != nil || failed || err != nil {
			return nil, lead, err
		}
	}
}

// open adds a connection to the pool: through the proxy, or of the protocol that the endpoint
// prefers.
func (t *Transport) open(ctx context.Context, o h1.Origin, address string) (*clientpool.Client,
	error) {
	if t.proxy != nil {
		return t.openByProxy(ctx, o, address)
	}
	var (
		c   net.Conn
		err error
	)
	if o.Scheme == "https" {
		c, err = t.dialTLS(ctx, o, address)
	} else {
		c, err = t.dial(ctx, "tcp", address)
	}
	var found *foundHTTP2
	switch {
	case errors.As(err, &found):
		return found.client, nil
	case err != nil:
		return nil, err
	}
	return t.pool.Open(ctx, o, c, clientpool.HTTP1)
}

// openByProxy opens a connection to the proxy, or through it to an https endpoint. Those speak
// HTTP/1.1 alone: net/http makes the handshake itself, so that what comes over HTTP/2 could not be
// metered.
func (t *Transport) openByProxy(ctx context.Context, o h1.Origin,
	address string) (*clientpool.Client, error) {
	by := t.pool.Transport()
	by.Proxy, by.DialContext = http.ProxyURL(t.proxy), t.dial
	var guard *tlsGuard
	by.TLSClientConfig, guard = t.tls.config(o, protocolHTTP1)
	by.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request,
		res *http.Response) error {
		if res.StatusCode != http.StatusOK {
			return ErrProxy
		}
		return nil
	}
	c, err := t.pool.Dial(ctx, o, by, o.Scheme, address)
	if err == nil {
		h1.PhasesOf(ctx).Secured()
	}
	return c, guard.cause(err)
}

// foundHTTP2 is the h1.ErrHTTP2 of a handshake. Its client is in the pool already, with an exchange
// reserved for the request that the handshake was made for.
type foundHTTP2 struct{ client *clientpool.Client }

func (*foundHTTP2) Error() string        { return h1.ErrHTTP2.Error() }
func (*foundHTTP2) Is(target error) bool { return target == h1.ErrHTTP2 }

// dialTLS opens a connection that speaks HTTP/1.1. Its error is foundHTTP2 when the endpoint
// prefers HTTP/2.
func (t *Transport) dialTLS(ctx context.Context, o h1.Origin, address string) (net.Conn, error) {
	socket, err := t.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// Closed in a defer, as a function of the host's configuration may panic: the attempt survives
	// that, and the socket must not.
	standing := false
	defer func() {
		if !standing {
			socket.Close()
		}
	}()
	config, guard := t.tls.config(o, t.tls.protocols()...)
	if config.ServerName == "" { // a host's configuration may have one
		if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return nil, err
		}
	}
	c := tls.Client(socket, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandshake, guard.cause(err))
	}
	h1.PhasesOf(ctx).Secured()
	standing = true
	http2 := c.ConnectionState().NegotiatedProtocol == protocolHTTP2
	if !http2 {
		t.handshakes.found(o, true)
		return c, nil
	}
	client, err := t.pool.Open(ctx, o, c, clientpool.HTTP2)
	// Only now: those who wait for the handshake look into the pool when they are woken.
	t.handshakes.found(o, false)
	if err != nil {
		return nil, err
	}
	return nil, &foundHTTP2{client}
}

// CloseIdleConnections closes what is idle now; requests under way go on.
func (t *Transport) CloseIdleConnections() {
	if t.h1 != nil {
		t.h1.CloseIdleConnections()
	}
	t.pool.CloseIdleConnections()
}
