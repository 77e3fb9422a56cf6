package dispatcher

import (
	"net"
	"net/url"
)

// Quiet reports whether the connection that is kept for the URL is open, and nothing has come over it. If something has, one
// byte of that is lost.
func (d *Dispatcher) Quiet(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	i := d.sender.direct.idle
	c := i.take(origin{u.Scheme, u.Host})
	if c == nil {
		return false
	}
	defer i.put(c)
	return silent(c.raw)
}

// Kept is how many connections are kept.
func (d *Dispatcher) Kept() int {
	i := d.sender.direct.idle
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.n
}

// Idle are connections that wait for a next exchange.
type Idle struct{ i *idle }

func NewIdle(most, perOrigin int) Idle { return Idle{newIdle(most, perOrigin)} }

// Put keeps a connection to a host.
func (i Idle) Put(host string, c net.Conn) {
	i.i.put(&conn{Conn: c, origin: origin{"http", host}})
}

// Take returns a connection to the host; nil when none is kept.
func (i Idle) Take(host string) net.Conn {
	if c := i.i.take(origin{"http", host}); c != nil {
		return c.Conn
	}
	return nil
}

func (i Idle) Close() { i.i.close() }
