package dispatcher

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// socketTakes is how many bytes a socket takes whether or not the other side reads.
const socketTakes = 16 << 10

// lateWrite is how long an endpoint that has answered has for reading the rest of the request, if its connection is to be
// used again.
const lateWrite = 50 * time.Millisecond

var errLargeHeaders = errors.New("dispatcher: the headers of the answer are past the limit")

// past is a deadline that lets nothing wait.
var past = time.Unix(1, 0)

// conn is a connection over which HTTP/1.1 is spoken, one exchange after another. net/http writes the requests and parses the
// answers; what is here is that both happen on the goroutine of the attempt.
type conn struct {
	net.Conn // over TLS, or the socket
	socket   net.Conn
	raw      syscall.RawConn // of the socket
	origin   origin
	r        *bufio.Reader
	w        *bufio.Writer

	done <-chan struct{} // of the context that interrupts it
	stop func() bool     // has it interrupted no more; nil before the first exchange

	left    int        // how many bytes may still be read
	writing chan error // gets what came of writing the request; nil unless that is for another goroutine

	used  bool      // an exchange has gone by
	since time.Time // when it became idle
}

// newConn returns c, which is the socket or runs over it, as a connection to an origin.
func newConn(o origin, c, socket net.Conn) (*conn, error) {
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	out := &conn{Conn: c, socket: socket, raw: raw, origin: o}
	out.r, out.w = bufio.NewReader(out), bufio.NewWriter(out)
	return out, nil
}

// Read reads no more than is left.
func (c *conn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errLargeHeaders
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// Close closes the connection in good order.
func (c *conn) Close() error {
	c.forsake()
	return c.Conn.Close()
}

// drop closes the connection whatever is going on over it, and without a word: it never waits for the other side.
func (c *conn) drop() {
	c.forsake()
	c.socket.Close()
	c.endWrite()
}

func (c *conn) forsake() {
	if c.stop != nil {
		c.stop()
	}
}

// endWrite returns what came of writing a request on another goroutine, when that has ended.
func (c *conn) endWrite() error {
	if c.writing == nil {
		return nil
	}
	err := <-c.writing
	c.writing = nil
	return err
}

// interrupt lets nothing wait for the connection any more.
func (c *conn) interrupt() { c.SetDeadline(past) }

// ready puts the connection under a lifetime, and reports whether it is fit for an exchange: open, and nothing has come over it
// that nobody asked for.
func (c *conn) ready(l *lifetime) bool {
	if done := l.parent.Done(); c.stop == nil || c.done != done { // those of a Run share it, so this is seldom
		if c.stop != nil && !c.stop() {
			return false
		}
		c.done, c.stop = done, context.AfterFunc(l.parent, c.interrupt)
	}
	if c.used && c.Conn != c.socket && !c.drained() {
		return false
	}
	c.SetDeadline(l.deadline)
	return l.parent.Err() == nil && (!c.used || silent(c.raw)) // an end that comes now interrupts it
}

// drained reports whether nothing is left of what has come over TLS.
func (c *conn) drained() bool {
	c.SetReadDeadline(past)
	n, err := c.Conn.(*tls.Conn).Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// ask sends a request of about so many bytes, and returns the answer to it, whose body is still to be read.
func (c *conn) ask(req *http.Request, size int) (*http.Response, error) {
	if size <= socketTakes {
		if err := c.write(req); err != nil {
			return nil, err
		}
		return c.answer(req)
	}
	c.writing = make(chan error, 1) // an endpoint may answer before it has read everything
	go func() { c.writing <- c.write(req) }()
	res, err := c.answer(req)
	if err == nil {
		return res, nil
	}
	c.socket.Close()
	if failed := c.endWrite(); failed != nil && !errors.Is(failed, net.ErrClosed) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return nil, failed // whoever of the two comes first is told why
	}
	return nil, err
}

func (c *conn) write(req *http.Request) error {
	if err := req.Write(c.w); err != nil {
		return err
	}
	return c.w.Flush()
}

// answer reads the first answer that is final, up to its body.
func (c *conn) answer(req *http.Request) (*http.Response, error) {
	c.left = maxResponseHeader // for those that are not, too
	for {
		res, err := http.ReadResponse(c.r, req)
		if err != nil {
			return nil, err
		}
		if code := res.StatusCode; code < 100 || code > 199 || code == http.StatusSwitchingProtocols {
			c.left = math.MaxInt
			return res, nil
		}
	}
}

// settled reports whether nothing is left of an exchange whose answer has been read to its end.
func (c *conn) settled() bool {
	if c.writing != nil {
		c.SetWriteDeadline(time.Now().Add(lateWrite))
	}
	return c.endWrite() == nil && c.r.Buffered() == 0
}
