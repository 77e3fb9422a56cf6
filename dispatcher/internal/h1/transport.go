package h1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/idna"
)

// Errors of RoundTrip. Others are those of the dialer, the connection or the parser.
var (
	// ErrHTTP2 is to be returned, perhaps wrapped, by Config.DialTLS when the endpoint prefers
	// HTTP/2; it may keep the connection for a transport that speaks it. Send then returns the same
	// error. The request's body was not read, or has been replaced by one that was not, and was not
	// closed: the request can be given to that transport.
	ErrHTTP2 = errors.New("h1: the endpoint prefers HTTP/2")

	// ErrHeader says that the request has a header that HTTP does not allow. Nothing was sent.
	ErrHeader = errors.New("h1: a header is not one that can be sent")

	// ErrLargeHeader says that the headers of the answer are longer than Config.MaxResponseHeader.
	ErrLargeHeader = errors.New("h1: the headers of the answer are past the limit")
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Origin is what the requests over a connection have in common. Requests of different origins never
// share one.
type Origin struct {
	Scheme, Host string      // as the URL has them
	Tenant       string      // requests of different tenants don't share connections
	TLS          *tls.Config // of the handshake, by its address; nil: what DialTLS takes for nil
}

// Config is what a Transport is made of. All fields must be set.
type Config struct {
	// Dial is for http. It returns connections that have SyscallConn, as those of package net.
	Dial DialFunc

	// DialTLS is for https. It returns a *tls.Conn whose handshake is done and whose NetConn has
	// SyscallConn, or ErrHTTP2.
	DialTLS func(ctx context.Context, o Origin, address string) (net.Conn, error)

	MaxResponseHeader int // bytes of an answer up to its body, interim answers included
	MaxIdle           int // idle connections in all
	MaxIdlePerOrigin  int // idle connections to one scheme, host and port
	// how long an idle connection is kept, unless the endpoint says less
	IdleTimeout time.Duration
}

// Transport sends requests. It may be used by any number of goroutines, and has none of its own.
type Transport struct {
	config Config
	pool   *pool
}

// New returns a Transport.
func New(c Config) *Transport {
	return &Transport{
		config: c,
		pool: newPool(c.MaxIdle, c.MaxIdlePerOrigin, func(c *conn) bool {
			return quiescent(c.raw, &c.look)
		}),
	}
}

// RoundTrip implements [http.RoundTripper]. It is Send for a request of no tenant.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.Send(Origin{Scheme: req.URL.Scheme, Host: req.URL.Host}, req)
}

// Send sends a request of an origin and returns the answer. The answer's body must be closed before
// the context ends; only a body that was read to its end lets the connection be used again. Close
// does not read what is left. The answer's TLS field is not set.
//
// If the endpoint ends a kept connection before one byte of an answer, Send sends the request once
// more, over a new connection and within the same context. It does so only if GetBody returns the
// body again, which then replaces the request's Body. When Send returns another error than
// [ErrHTTP2] or [ErrHeader], the request may have been sent, twice at most.
func (t *Transport) Send(o Origin, req *http.Request) (*http.Response, error) {
	h, err := newHead(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	if h.inline() { // or else a goroutine may still use it
		defer h.free()
	}
	c, err := t.connection(req.Context(), o, req.URL)
	if err != nil {
		return nil, notSent(req, err)
	}
	res, err := t.exchange(c, req, h)
	if err == nil || !c.stale() || req.Context().Err() != nil || !rewind(req) {
		return res, err
	}
	// Not over another idle one: what has closed this one has probably closed them all.
	if c, err = t.open(req.Context(), o, req.URL); err != nil {
		return nil, notSent(req, err)
	}
	return t.exchange(c, req, h)
}

// notSent closes the body of a request that got no connection, unless it may go over HTTP/2.
func notSent(req *http.Request, err error) error {
	if !errors.Is(err, ErrHTTP2) {
		closeBody(req)
	}
	return err
}

// rewind has the body of a request, which was read and closed, read again, and reports whether it
// can be.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	req.Body = body
	return true
}

// CloseIdleConnections closes the connections that are idle now.
func (t *Transport) CloseIdleConnections() { t.pool.close() }

// connection returns a connection that is fit for a request: an idle one, or else a new one.
func (t *Transport) connection(ctx context.Context, o Origin, u *url.URL) (*conn, error) {
	// The newest idle one first: it has had the least time to be closed by the endpoint, and the
	// others can grow old and go.
	for c := t.pool.take(o); c != nil; c = t.pool.take(o) {
		if c.prepare(ctx) {
			return c, nil
		}
		c.abort()
	}
	return t.open(ctx, o, u)
}

// open returns a new connection that is fit for a request.
func (t *Transport) open(ctx context.Context, o Origin, u *url.URL) (*conn, error) {
	c, err := t.dial(ctx, o, u)
	if err != nil {
		return nil, err
	}
	if c.prepare(ctx) {
		return c, nil
	}
	c.abort()
	// A new connection is unfit only when the context was canceled; a deadline that has passed
	// shows at the first write. Err can lag behind the parent's for an instant.
	return nil, cmp.Or(ctx.Err(), context.Canceled)
}

// exchange sends a request over a connection that was prepared for it.
func (t *Transport) exchange(c *conn, req *http.Request, h *head) (*http.Response, error) {
	c.phases = PhasesOf(req.Context())
	c.phases.Sending(&c.remote)
	res, err := c.roundTrip(req, h, t.config.MaxResponseHeader)
	c.phases = nil // an idle connection must not keep the context
	if err != nil {
		c.abort()
		return nil, err
	}
	c.keep = keepAlive(res.Header, t.config.IdleTimeout)
	// After a 101 the connection speaks another protocol.
	last := res.Close || res.StatusCode < 200 || c.keep == 0
	b := &body{Reader: res.Body, conn: c, pool: t.pool, last: last}
	if res.Body == http.NoBody {
		b.whole = true
		b.Close()
	} else {
		res.Body = b
	}
	return res, nil
}

// body is the body of an answer. Closing it ends the exchange: the connection goes into the pool,
// or is closed.
type body struct {
	io.Reader
	conn  *conn // nil once closed
	pool  *pool
	last  bool // no other exchange may follow
	whole bool // it was read to its end
}

// Read notes the end of the body. Only a reader that has seen it lets the connection be used again.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.whole = b.whole || err == io.EOF
	return n, err
}

// Close does not read what is left: an endpoint could send for ever.
func (b *body) Close() error {
	c := b.conn
	b.conn = nil
	switch {
	case c == nil:
	case !b.whole || !c.reusable():
		c.abort()
	case b.last:
		return c.Close()
	default:
		b.pool.put(c, c.keep)
	}
	return nil
}

// dial opens a connection. Its error is ErrHTTP2 when the endpoint prefers that.
func (t *Transport) dial(ctx context.Context, o Origin, u *url.URL) (*conn, error) {
	if o.Scheme != "https" {
		c, err := t.config.Dial(ctx, "tcp", Address(u))
		if err != nil {
			return nil, err
		}
		return newConn(o, c, c)
	}
	c, err := t.config.DialTLS(ctx, o, Address(u))
	if err != nil {
		return nil, err
	}
	socket := c
	if s, ok := c.(*tls.Conn); ok {
		socket = s.NetConn()
	}
	return newConn(o, c, socket)
}

// Address returns the host and port to dial for a URL.
func Address(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // as net/http does
		host = ascii
	}
	return net.JoinHostPort(host, port)
}

// closeBody closes the body of a request that is not sent, as a RoundTripper must.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
