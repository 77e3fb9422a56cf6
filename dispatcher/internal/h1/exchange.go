package h1

import (
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

// socketTakes is how many bytes a socket takes whether or not the other side reads: the smallest
// send buffer of the systems in use, before it grows.
const socketTakes = 16 << 10

// lateWrite is how long an endpoint that has answered has for reading the rest of the request, if
// its connection is to be used again.
const lateWrite = 50 * time.Millisecond

// roundTrip sends a request of about size bytes, -1 if that is unknown, and returns the answer,
// whose body is still to be read. After an error the connection must be aborted.
func (c *conn) roundTrip(req *http.Request, size, maxHeader int) (*http.Response, error) {
	if 0 <= size && size <= socketTakes {
		// The socket takes all of it, so that writing cannot wait for the endpoint.
		if err := c.write(req); err != nil {
			return nil, err
		}
		return c.readAnswer(req, maxHeader)
	}
	// An endpoint may answer before it has read everything, and then stop reading. If it were this
	// goroutine that writes, the answer would be lost in a write that never ends.
	c.writing = make(chan error, 1)
	go func() { c.writing <- c.write(req) }()
	res, err := c.readAnswer(req, maxHeader)
	if err == nil {
		return res, nil
	}
	c.socket.Close() // first, or endWrite would wait for the endpoint
	failed := c.endWrite()
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if closed && failed != nil && !errors.Is(failed, net.ErrClosed) {
		return nil, failed // it knows more than that the connection has ended, such as a reset
	}
	return nil, err
}

func (c *conn) write(req *http.Request) error {
	err := req.Write(c.w)
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
	c.headerLeft = maxHeader // for interim answers too, of which there may be any number
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

// body is the body of an answer. Closing it ends the exchange: the connection goes into the pool, or
// is closed.
type body struct {
	io.Reader
	conn  *conn // nil once closed
	pool  *pool
	last  bool // no other exchange may follow
	whole bool // it was read to its end
}

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
		b.pool.put(c)
	}
	return nil
}
