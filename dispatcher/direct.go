package dispatcher

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

// direct posts over HTTP/1.1, on the goroutine that calls it. net/http's Transport hands each request to one goroutine of the
// connection and takes the answer from another, which costs about as much as the exchange itself.
type direct struct {
	dial, secure dialFunc // http, https
	idle         *idle

	mu    sync.Mutex
	http2 map[origin]bool // those that prefer it
}

// maxHTTP2 is how many origins that prefer HTTP/2 are remembered. Beyond, all are forgotten.
const maxHTTP2 = 1 << 14

var (
	errHTTP2  = errors.New("dispatcher: the endpoint prefers HTTP/2")
	errHeader = errors.New("dispatcher: a header is not one that can be sent")
)

func newDirect(o *Options, dial, secure dialFunc) *direct {
	return &direct{
		dial:   dial,
		secure: secure,
		idle:   newIdle(4*o.Concurrency, o.Concurrency), // a host may serve many subscriptions
		http2:  make(map[origin]bool),
	}
}

// post sends a request and returns the answer, whose body must be closed within the lifetime. Nothing was sent when the error is
// errHTTP2; else it may have been sent, and is not sent again.
func (d *direct) post(l *lifetime, req *http.Request) (*http.Response, error) {
	size, err := sizeOf(req)
	if err != nil {
		return nil, err
	}
	o := origin{req.URL.Scheme, req.URL.Host}
	if o.scheme == "https" && d.prefersHTTP2(o) {
		return nil, errHTTP2
	}
	for c := d.idle.take(o); c != nil; c = d.idle.take(o) {
		if c.ready(l) {
			return d.exchange(c, req, size)
		}
		c.drop()
	}
	c, err := d.open(l, o, req.URL)
	if err != nil {
		return nil, err
	}
	if !c.ready(l) {
		c.drop()
		return nil, l.err()
	}
	return d.exchange(c, req, size)
}

func (d *direct) exchange(c *conn, req *http.Request, size int) (*http.Response, error) {
	res, err := c.ask(req, size)
	if err != nil {
		c.drop()
		return nil, err
	}
	b := &answerBody{body: res.Body, conn: c, idle: d.idle, last: res.Close || res.StatusCode < 200}
	if res.Body == http.NoBody {
		b.whole = true
		b.Close()
	} else {
		res.Body = b
	}
	return res, nil
}

// open opens a connection. When the endpoint prefers HTTP/2, its error is errHTTP2.
func (d *direct) open(l *lifetime, o origin, u *url.URL) (*conn, error) {
	dial, port := d.dial, "80"
	if o.scheme == "https" {
		dial, port = d.secure, "443"
	}
	if p := u.Port(); p != "" {
		port = p
	}
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	c, err := dial(l.context(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	socket := c
	if t, ok := c.(*tls.Conn); ok {
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			d.preferHTTP2(o)
			t.Close()
			return nil, errHTTP2
		}
		socket = t.NetConn()
	}
	return newConn(o, c, socket)
}

func (d *direct) prefersHTTP2(o origin) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.http2[o]
}

func (d *direct) preferHTTP2(o origin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.http2) >= maxHTTP2 {
		clear(d.http2)
	}
	d.http2[o] = true
}

// sizeOf returns about how many bytes a request has, and errHeader when it has a header that HTTP does not allow.
func sizeOf(req *http.Request) (int, error) {
	size := int(req.ContentLength)
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return 0, errHeader
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return 0, errHeader
			}
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size, nil
}
