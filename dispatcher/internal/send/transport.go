package send

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// idleConnTimeout is how long a connection is kept for the next delivery to its host. It is shorter
// than the minute after which common servers and balancers close one, so that a request seldom
// meets a close.
const idleConnTimeout = 30 * time.Second

var (
	errProxy = errors.New(
		"send: the proxy refuses the endpoint",
	) // it answered a CONNECT with anything but 200
	errHandshake = errors.New(
		"send: TLS handshake",
	) // wraps what went wrong once the connection stood
)

// newTransport returns net/http's transport, for a proxy and for HTTP/2, and the one that sends
// without it; that is nil if net/http carries everything.
func newTransport(o *Options) (*http.Transport, *h1.Transport) {
	d := &net.Dialer{} // to the proxy, which is the host's own choice
	if o.Proxy == nil {
		d = o.Guard.Dialer()
	}
	d.Resolver = o.Resolver
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(4 * o.Concurrency),
		RootCAs:            o.Roots,
	}
	t := &http.Transport{
		DialContext:            dialing(d.DialContext),
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxResponseHeader,
		MaxIdleConns:           4 * o.Concurrency,
		MaxIdleConnsPerHost:    o.Concurrency, // a host may serve many subscriptions
		IdleConnTimeout:        idleConnTimeout,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: maxResponseBody,
			// Attempts share a connection. A ping finds out one that has died in silence, and one
			// that takes no more bytes is closed before it holds up an attempt for longer than
			// its lease.
			SendPingTimeout:  o.Timeout,
			PingTimeout:      o.Timeout,
			WriteByteTimeout: o.Timeout / 2,
		},
	}
	if o.Proxy != nil {
		t.TLSClientConfig, t.TLSHandshakeTimeout = secure, o.Timeout
		t.Proxy = http.ProxyURL(o.Proxy)
		t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return errProxy
			}
			return nil
		}
		return t, nil
	}
	dialTLS := handshaking((&tls.Dialer{NetDialer: d, Config: secure}).DialContext)
	t.DialTLSContext = dialing(dialTLS)
	if !h1.Supported {
		return t, nil
	}
	return t, h1.New(h1.Config{
		Dial:              d.DialContext,
		DialTLS:           dialTLS,
		MaxResponseHeader: maxResponseHeader,
		MaxIdle:           4 * o.Concurrency,
		MaxIdlePerOrigin:  o.Concurrency, // a host may serve many subscriptions
		IdleTimeout:       idleConnTimeout,
	})
}

// attemptKey is the key under which the context of an attempt has itself.
type attemptKey struct{}

// dialing returns a dial that ends no later than the attempt that it is for. net/http detaches a
// dial from its request, so that another request can use the connection; but an attempt that hangs
// in a dial or a handshake would then hold more sockets than there are attempts, and some would be
// left when Run returns.
func dialing(dial h1.DialFunc) h1.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if attempt, ok := ctx.Value(attemptKey{}).(context.Context); ok {
			bound, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(attempt, cancel)()
			ctx = bound
		}
		return dial(ctx, network, address)
	}
}

// handshaking marks the errors of a tls.Dialer that are of the handshake, and not of the dial.
func handshaking(dial h1.DialFunc) h1.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if op, ok := err.(*net.OpError); err != nil && !(ok && op.Op == "dial") {
			err = fmt.Errorf("%w: %w", errHandshake, err)
		}
		return conn, err
	}
}
