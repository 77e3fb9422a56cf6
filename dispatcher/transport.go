package dispatcher

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
	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// What of an answer is read.
const (
	maxResponseHeader = 64 << 10
	maxResponseBody   = 64 << 10
)

// idleConnTimeout is how long a connection is kept for the next delivery to its host. It is shorter than the minute
// after which common servers and balancers close one, so that a request seldom meets a close.
const idleConnTimeout = 30 * time.Second

var (
	errProxy     = errors.New("dispatcher: the proxy refuses the endpoint") // it answered a CONNECT with anything but 200
	errHandshake = errors.New("dispatcher: TLS handshake")                  // wraps what went wrong once the connection stood
)

// newDialer returns what opens connections: to addresses that g allows, or to the proxy, which is the host's own choice.
func newDialer(o *Options, g *netguard.Policy) *net.Dialer {
	if o.Proxy != nil {
		return &net.Dialer{}
	}
	return g.Dialer()
}

func newTLSConfig(o *Options) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"h2", "http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(4 * o.Concurrency),
	}
}

// newTransport returns net/http's transport, for a proxy and for HTTP/2, and what posts without it; that is nil when net/http
// carries everything.
func newTransport(o *Options, d *net.Dialer, secure *tls.Config) (*http.Transport, *h1.Transport) {
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
			// Attempts share a connection. One that has gone dead in silence is found out by a ping, and one that takes no
			// more bytes is given up before it holds up an attempt for longer than its lease.
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

// dialing returns a dial that ends no later than the attempt that it is for. net/http by itself has a dial outlive the
// request. So attempts that hang in a dial or a handshake never hold more sockets than there are attempts, and none is left
// when Run returns.
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

// handshaking marks the errors of a tls.Dialer that are the handshake's, and not the dial's.
func handshaking(dial h1.DialFunc) h1.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if op, ok := err.(*net.OpError); err != nil && !(ok && op.Op == "dial") {
			err = fmt.Errorf("%w: %w", errHandshake, err)
		}
		return conn, err
	}
}
