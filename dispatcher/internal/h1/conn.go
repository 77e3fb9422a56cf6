package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// past is a deadline that lets nothing wait.
var past = time.Unix(1, 0)

// socketTakes is how many bytes a socket takes whether or not the other side reads: the smallest
// send buffer of the systems in use, before it grows.
const socketTakes = 16 << 10

// lateWrite is how long an endpoint that has answered has for reading the rest of the request, if
// its connection is to be used again.
const lateWrite = 50 * time.Millisecond

// lateAnswer is how long an answer is awaited once writing the request has failed. What the
// endpoint sent before it closed has arrived by then, as a rule; nothing else will come.
const lateAnswer = time.Second

// conn is a connection over which exchanges go, one after another. It belongs to one goroutine at a
// time, but for interrupt.
type conn struct {
	net.Conn // TLS, or the socket
	socket   net.Conn
	raw      syscall.RawConn // of the socket
	look     look            // at the socket, see quiescent
	remote   net.Addr
	phases   *Phases // of the exchange under way
	origin   Origin
	r        *bufio.Reader
	w        *bufio.Writer

	watched <-chan struct{} // Done of the context that interrupts it
	unwatch func() bool     // stops that, and reports whether it came in time; nil: nothing does
	shared  bool            // the context outlives the exchange, and may interrupt an idle connection

	headerLeft int        // how many bytes may still be read
	answered   bool       // a byte of the answer under way, or of the last one, has come
	readErr    error      // the first error of Read that is the connection's
	writing    chan error // gets the result of writing the request; nil unless a goroutine writes it
	writeErr   error      // the first error of Write; for the goroutine that writes the request

	used  bool          // there was an exchange
	keep  time.Duration // how long it may be idle, by the last answer
	since time.Time     // when it became idle
	until time.Time     // when it must not be used any more
}

// look is what quiescent needs to look at a socket. It is kept with the connection: each delivery
// looks once, and would allocate it.
type look struct {
	read func(fd uintptr) // into b; made by the first look
	b    [1]byte
	n    int
	err  error
}

// newConn returns c, which is the socket or runs over it, as a connection to an origin.
func newConn(o Origin, c, socket net.Conn) (*conn, error) {
	s, ok := socket.(syscall.Conn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("h1: a connection of type %T has no SyscallConn", socket)
	}
	raw, err := s.SyscallConn()
	if err != nil {
		c.Close()
		return nil, err
	}
	out := &conn{Conn: c, socket: socket, raw: raw, remote: socket.RemoteAddr(), origin: o}
	out.r, out.w = bufio.NewReader(out), bufio.NewWriter(out)
	return out, nil
}

// Read reads no more than headerLeft.
func (c *conn) Read(p []byte) (int, error) {
	if c.headerLeft == 0 {
		return 0, ErrLargeHeader
	}
	n, err := c.Conn.Read(p[:min(len(p), c.headerLeft)])
	c.headerLeft -= n
	if n > 0 && !c.answered {
		c.answered = true
		c.phases.Answered()
	}
	if err != nil && c.readErr == nil {
		c.readErr = err
	}
	return n, err
}

// Write remembers its error: net/http wraps one that it meets while it copies a request's body so
// that errors.Is does not find it.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && c.writeErr == nil {
		c.writeErr = err
	}
	return n, err
}

// prepare puts the connection under a context, and reports whether it is fit for an exchange: open,
// and without a byte that nobody asked for.
func (c *conn) prepare(ctx context.Context) bool {
	watch, shared := cancellation(ctx)
	// Attempts under one Run have the same parent, so this registers about once in the life of a
	// connection, not once for each exchange.
	if done := watch.Done(); c.unwatch == nil || c.watched != done {
		if !c.detach() {
			return false // the context before has ended meanwhile, and the interruption may yet come
		}
		c.watched, c.unwatch = done, context.AfterFunc(watch, c.interrupt)
	}
	c.shared = shared
	if c.used && c.Conn != c.socket && !c.drained() {
		return false
	}
	deadline, _ := ctx.Deadline() // if it has none, the zero time, which is none for a Conn too
	if c.used && c.over(time.Now()) {
		return false
	}
	c.SetDeadline(deadline)
	// Only now is it asked whether the context has ended. Had it ended before SetDeadline, the
	// interruption could have been overwritten; if it ends from here on, the interruption holds.
	if watch.Err() != nil {
		return false
	}
	return !c.used || quiescent(c.raw, &c.look)
}

// interrupt makes everything that waits for the connection return. It runs on a goroutine of its
// own when the watched context ends.
func (c *conn) interrupt() { c.SetDeadline(past) }

// detach ends the watch over a context. It reports false if the connection was, or is about to be,
// interrupted; then it must not be used again.
func (c *conn) detach() bool {
	if c.unwatch == nil {
		return true
	}
	inTime := c.unwatch()
	c.unwatch, c.watched = nil, nil
	return inTime
}

// drained reports whether everything that TLS has received was read. A socket without a byte is not
// enough: crypto/tls may hold a record that it has read ahead, or half of one.
func (c *conn) drained() bool {
	c.SetReadDeadline(past)
	n, err := c.Conn.(*tls.Conn).Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// reusable reports whether nothing is left of an exchange whose answer was read to its end.
func (c *conn) reusable() bool {
	if c.writing != nil {
		// The endpoint answered before it had read the request. It gets a moment for the rest.
		c.SetWriteDeadline(time.Now().Add(lateWrite))
	}
	// A byte after the answer belongs to no request: what follows would be taken for the answer to
	// the next one.
	if c.endWrite() != nil || c.writeErr != nil || c.r.Buffered() != 0 {
		return false
	}
	// A context that is the request's own usually ends now, and must not interrupt the pool.
	return c.shared || c.detach()
}

// endWrite waits for the goroutine that writes the request, if there is one, and returns its
// result.
func (c *conn) endWrite() error {
	if c.writing == nil {
		return nil
	}
	err := <-c.writing
	c.writing = nil
	return err
}

// over reports whether an idle connection must not be used any more.
func (c *conn) over(now time.Time) bool { return !now.Before(c.until) }

// Close closes the connection in good order: over TLS, with a close_notify.
func (c *conn) Close() error {
	c.detach()
	return c.Conn.Close()
}

// abort closes the connection in any state. It closes the socket, without a TLS close_notify, so it
// never waits for the other side; and it ends a write that is under way, whose goroutine it then
// waits for.
func (c *conn) abort() {
	c.detach()
	c.socket.Close()
	c.endWrite()
}

// roundTrip sends a request, of which h is the head, and returns the answer, whose body is still to
// be read. After an error the connection must be aborted.
//
// An endpoint may answer and close before it has read all of the request. Writing then fails, but
// the answer has arrived, and a reset behind it does not take it back: the system hands out what it
// has received before it reports the reset. So the answer is read even if writing has failed.
func (c *conn) roundTrip(req *http.Request, h *head, maxHeader int) (*http.Response, error) {
	c.answered = false
	if h.inline() {
		failed := c.write(req, h)
		if failed != nil && c.writeErr == nil {
			return nil, failed // of the request, not of the connection: the endpoint waits for the rest
		}
		if failed != nil {
			c.hurry(req.Context(), c.watched)
		}
		res, err := c.readAnswer(req, maxHeader)
		if err != nil && failed != nil {
			return nil, moreTelling(err, failed)
		}
		return res, err
	}
	// If it were this goroutine that writes, the answer of an endpoint that stops reading would be
	// lost in a write that never ends.
	c.writing = make(chan error, 1)
	watched := c.watched
	go func() {
		failed := c.write(req, h)
		if failed != nil {
			c.hurry(req.Context(), watched)
		}
		c.writing <- failed
	}()
	res, err := c.readAnswer(req, maxHeader)
	if err == nil {
		return res, nil
	}
	c.socket.Close() // first, or endWrite would wait for the endpoint
	if failed := c.endWrite(); failed != nil && !errors.Is(failed, net.ErrClosed) {
		return nil, moreTelling(err, failed)
	}
	return nil, err
}

// hurry gives the answer no more than lateAnswer from now on. It may run beside detach, so it is
// given the Done channel of the context that interrupts the connection.
func (c *conn) hurry(ctx context.Context, watched <-chan struct{}) {
	by := time.Now().Add(lateAnswer)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(by) {
		return
	}
	c.SetReadDeadline(by)
	select {
	case <-watched: // the interruption may just have been overwritten
		c.interrupt()
	default:
	}
}

// moreTelling returns the error that says more when both writing and reading have failed.
// A read often knows only that the connection has ended, or was hurried; the write was told why,
// such as a reset.
func moreTelling(read, write error) error {
	if errors.Is(read, io.EOF) || errors.Is(read, io.ErrUnexpectedEOF) ||
		errors.Is(read, os.ErrDeadlineExceeded) {
		return write
	}
	return read
}

// stale reports whether a roundTrip that failed met the end of a connection that was kept from an
// earlier exchange, before one byte of an answer. The endpoint then most likely closed the
// connection while it was idle, and the close and the request crossed on the way.
func (c *conn) stale() bool {
	return c.used && !c.answered && (c.writeErr != nil || c.readErr != nil)
}

// write writes a request. Its error is that of the connection, if there was one: net/http wraps it.
func (c *conn) write(req *http.Request, h *head) (err error) {
	// A request that is sent again may have got another body from GetBody.
	if body, ok := req.Body.(*Body); ok && body == h.body {
		h.writeTo(c.w, req)
	} else {
		err = req.Write(c.w)
	}
	if err == nil {
		err = c.w.Flush()
	}
	if err != nil && c.writeErr != nil {
		return c.writeErr
	}
	return err
}

// readAnswer reads the first answer that is final, up to its body.
func (c *conn) readAnswer(req *http.Request, maxHeader int) (*http.Response, error) {
	c.headerLeft = maxHeader // for interim answers too: there may be any number of them
	for {
		res, err := http.ReadResponse(c.r, req)
		switch {
		case err != nil && c.headerLeft == 0:
			return nil, ErrLargeHeader // package textproto may take what was cut off for a whole line
		case err != nil:
			return nil, err
		}
		code := res.StatusCode
		if code < 100 || code > 199 || code == http.StatusSwitchingProtocols {
			c.headerLeft = math.MaxInt // the body's reader bounds the body
			return res, nil
		}
	}
}
