package h1

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Quiescent reports whether the connection to the URL that was used last is idle and open, and
// nothing has come over it. If something has, one byte of that is lost.
func (t *Transport) Quiescent(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	c := t.pool.take(Origin{Scheme: u.Scheme, Host: u.Host})
	if c == nil {
		return false
	}
	defer t.pool.put(c, time.Until(c.until))
	return quiescent(c.raw, &c.look)
}

// Idle returns how many connections are idle.
func (t *Transport) Idle() int {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return t.pool.n
}

// Pool is a pool without a Transport, whose connections have nothing to tell until they are ended.
type Pool struct {
	p    *pool
	keep time.Duration
}

// NewPool returns a pool that keeps connections for so long. ended says of one whether the other
// side has ended it.
func NewPool(max, maxPerOrigin int, keep time.Duration, ended func(net.Conn) bool) Pool {
	return Pool{newPool(max, maxPerOrigin, func(c *conn) bool { return !ended(c.Conn) }), keep}
}

// Put keeps a connection to a host.
func (p Pool) Put(host string, c net.Conn) {
	p.p.put(&conn{Conn: c, origin: Origin{Scheme: "http", Host: host}}, p.keep)
}

// Take returns a connection to the host; nil if there is none.
func (p Pool) Take(host string) net.Conn {
	if c := p.p.take(Origin{Scheme: "http", Host: host}); c != nil {
		return c.Conn
	}
	return nil
}

func (p Pool) Close() { p.p.close() }

// SweepInterval is how late a pool may notice something.
const SweepInterval = sweepInterval

// KeepAlive is keepAlive.
var KeepAlive = keepAlive

// IsValidValue is isValidValue.
var IsValidValue = isValidValue

// Written returns what a connection writes for a request, and whether this package does so, and not
// http.Request.Write.
func Written(req *http.Request) (text []byte, own bool, err error) {
	h, err := newHead(req)
	if err != nil {
		return nil, false, err
	}
	defer h.free()
	var b bytes.Buffer
	c := &conn{w: bufio.NewWriter(&b)}
	err = c.write(req, h)
	return b.Bytes(), h.body != nil, err
}

// WriteTo writes a request as a connection does.
func WriteTo(w *bufio.Writer, req *http.Request) error {
	h, err := newHead(req)
	if err != nil {
		return err
	}
	defer h.free()
	return (&conn{w: w}).write(req, h)
}
