package clientpool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// Config is what a Pool is made of. All fields must be set.
type Config struct {
	Max         int               // connections, unless more are in use
	IdleTimeout time.Duration     // how long an idle connection is kept
	HTTP2       *http.HTTP2Config // of connections that speak it

	MaxResponseHeader int64 // bytes
}

// Pool keeps clients. It may be used by any number of goroutines, and has none but those of
// net/http: one for each HTTP/2 connection, two for each of HTTP/1.1.
type Pool struct {
	config Config

	mu      sync.Mutex
	clients map[h1.Origin][]*Client // none is empty
	n       int                     // clients in all
	timer   *time.Timer             // runs until the next sweep; nil when there are no clients
}

// New returns a Pool.
func New(c Config) *Pool {
	return &Pool{config: c, clients: make(map[h1.Origin][]*Client)}
}

// Protocol is what a connection speaks.
type Protocol int

const (
	HTTP1 Protocol = iota
	HTTP2
)

// errNoExchange is the error of a new connection that is closed before its first request.
var errNoExchange = errors.New("clientpool: a new connection takes no request")

// Open returns a client of c, a connection to the origin that is ready for its first request. Other
// requests to the origin may be given it too. If it fails, c is closed.
func (p *Pool) Open(ctx context.Context, o h1.Origin, c net.Conn, protocol Protocol) (*Client,
	error) {
	var m *meter
	remote := c.RemoteAddr()
	protocols := new(http.Protocols)
	if protocol == HTTP2 {
		// To net/http it is HTTP/2 without TLS, so that the meter sees the frames.
		m = newMeter(c)
		c = m
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP1(true)
	}
	t := p.Transport()
	t.Protocols = protocols
	t.DialContext = func(context.Context, string, string) (net.Conn, error) { return c, nil }
	conn, err := t.NewClientConn(ctx, "http", "endpoint:80") // names that are not used
	if err != nil {
		c.Close()
		return nil, err
	}
	return p.add(&Client{pool: p, origin: o, conn: conn, meter: m, remote: remote})
}

// Dial is Open with a connection that t makes, which must be new and speak HTTP/1.1.
func (p *Pool) Dial(
	ctx context.Context, o h1.Origin, t *http.Transport, scheme, address string,
) (*Client, error) {
	conn, err := t.NewClientConn(ctx, scheme, address)
	if err != nil {
		return nil, err
	}
	return p.add(&Client{pool: p, origin: o, conn: conn})
}

// Transport returns a new http.Transport with the pool's limits.
func (p *Pool) Transport() *http.Transport {
	return &http.Transport{
		DisableCompression:     true,
		MaxResponseHeaderBytes: p.config.MaxResponseHeader,
		HTTP2:                  p.config.HTTP2,
	}
}

// add puts a client into the pool, with an exchange reserved.
func (p *Pool) add(c *Client) (*Client, error) {
	if err := c.conn.Reserve(); err != nil {
		c.conn.Close()
		return nil, fmt.Errorf("%w: %w", errNoExchange, err)
	}
	old := p.insert(c)
	// Only now, so that a connection that ends is in the pool by the time it is to leave it. If it
	// has ended already, the hook is called at once.
	c.conn.SetStateHook(c.changed)
	if old != nil {
		old.conn.Close()
	}
	return c, nil
}

// insert returns the client that must make room, if one must. If all are in use, none must, and the
// pool has more than Max until one is idle: an attempt does not wait for another's connection.
func (p *Pool) insert(c *Client) (old *Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n >= p.config.Max {
		if old = p.oldest(); old != nil {
			p.remove(old)
		}
	}
	c.since = time.Now()
	p.clients[c.origin] = append(p.clients[c.origin], c)
	p.n++
	if p.timer == nil {
		p.timer = time.AfterFunc(p.config.IdleTimeout/4, p.sweep)
	}
	return old
}

// Take returns a client for a request to the origin; nil if there is none. It prefers the oldest
// connection, so that the others can grow old and go.
func (p *Pool) Take(o h1.Origin) *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients[o] {
		// It fails if the connection has ended, or has as many streams as the endpoint allows.
		if c.conn.Reserve() == nil {
			c.since = time.Now()
			return c
		}
	}
	return nil
}

// remove takes a client out of the pool, if it is there: its connection may have ended before, or
// be closed for its age while it ends. p.mu is held.
func (p *Pool) remove(c *Client) {
	list := p.clients[c.origin]
	at := slices.Index(list, c)
	if at < 0 {
		return
	}
	if list = slices.Delete(list, at, at+1); len(list) == 0 {
		delete(p.clients, c.origin)
	} else {
		p.clients[c.origin] = list
	}
	p.n--
}

// oldest returns the client that has been idle for longest; nil if none is idle. It looks at all;
// it is called only for a new connection when the pool is full.
func (p *Pool) oldest() (oldest *Client) {
	for _, list := range p.clients {
		for _, c := range list {
			if c.conn.InFlight() == 0 && (oldest == nil || c.since.Before(oldest.since)) {
				oldest = c
			}
		}
	}
	return oldest
}

// drop removes a client whose connection has ended.
func (p *Pool) drop(c *Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(c)
}

// sweep closes the connections that have been idle for too long.
func (p *Pool) sweep() {
	// since is when the last exchange began, so a connection is kept for a little less than
	// IdleTimeout after the end of that exchange.
	limit := time.Now().Add(-p.config.IdleTimeout)
	p.closeIf(func(c *Client) bool { return !c.since.After(limit) })
	p.mu.Lock()
	defer p.mu.Unlock()
	// A pool without connections has no timer, so a Dispatcher that is no longer used can be
	// collected.
	p.timer = nil
	if p.n > 0 {
		p.timer = time.AfterFunc(p.config.IdleTimeout/4, p.sweep)
	}
}

// CloseIdleConnections closes the connections that are idle now.
func (p *Pool) CloseIdleConnections() {
	p.closeIf(func(*Client) bool { return true })
}

// closeIf closes the idle connections for which f returns true.
func (p *Pool) closeIf(f func(*Client) bool) {
	p.mu.Lock()
	var closing []*Client
	for _, list := range p.clients {
		for _, c := range list {
			if c.conn.InFlight() == 0 && f(c) {
				closing = append(closing, c)
			}
		}
	}
	for _, c := range closing {
		p.remove(c)
	}
	p.mu.Unlock()
	for _, c := range closing { // it may wait for the other side, so not under the mutex
		c.conn.Close()
	}
}

// Len returns how many connections there are, idle or not.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}
