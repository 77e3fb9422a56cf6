package clientpool

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// Client is a connection with an exchange reserved for its holder, who must call RoundTrip once.
type Client struct {
	pool   *Pool
	origin h1.Origin
	conn   *http.ClientConn
	meter  *meter   // nil with HTTP/1.1
	remote net.Addr // nil if it is unknown

	answered atomic.Bool // there was an answer
	since    time.Time   // when an exchange last began; under the pool's mutex
}

// RoundTrip sends a request and returns the answer. If it fails, replay says whether the request
// may be sent again: the endpoint says that it has not taken it, or the connection was kept from an
// earlier exchange and has ended before one byte of an answer. It says so too if it was the context
// that ended the connection.
func (c *Client) RoundTrip(req *http.Request) (res *http.Response, replay bool, err error) {
	// Asked before the request: with several over one connection, another may be answered
	// meanwhile, and this one would then look like one over a kept connection.
	kept := c.answered.Load()
	c.traceConn(req, kept)
	var begun atomic.Bool // net/http may call the hook from another goroutine, and late
	phases := h1.PhasesOf(req.Context())
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotFirstResponseByte: func() {
			begun.Store(true)
			phases.Answered()
		},
	})
	phases.Sending(&c.remote)
	if c.meter != nil {
		c.meter.begin()
	}
	traced := req.WithContext(ctx)
	traced.Body = h1.ForHTTP(req.Body)
	res, err = c.conn.RoundTrip(traced)
	if err == nil {
		c.answered.Store(true)
		return res, false, nil
	}
	// A flood is reported as such, and not sent again: net/http only knows that the connection is
	// gone.
	if c.meter != nil && c.meter.isFlooded() {
		return nil, false, ErrFlood
	}
	return nil, !begun.Load() && (isRefused(err) || kept && c.conn.Err() != nil), err
}

// traceConn tells a trace of what net/http's own pool would have told it.
func (c *Client) traceConn(req *http.Request, kept bool) {
	trace := httptrace.ContextClientTrace(req.Context())
	if trace == nil {
		return
	}
	if trace.GetConn != nil {
		trace.GetConn(req.URL.Host)
	}
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: kept, WasIdle: kept})
	}
}

// isRefused reports whether an endpoint says over HTTP/2 that it has not taken the request: it
// refused the stream, or went away with a lower one as its last (RFC 9113, 8.7).
func isRefused(err error) bool {
	const refusedStream = 7
	var stream streamError
	if errors.As(err, &stream) {
		return stream.Code == refusedStream
	}
	return strings.HasPrefix(err.Error(),
		"http2: Transport received Server's graceful shutdown GOAWAY")
}

// streamError has the shape of net/http's error for a stream of HTTP/2 that was reset. net/http
// lets errors.As fill any type of this shape.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream error" }

// changed is called when an exchange has ended, and when the connection has.
func (c *Client) changed(conn *http.ClientConn) {
	if conn.Err() != nil {
		// In a goroutine, as the caller may hold the pool's mutex: Reserve calls this too.
		go c.pool.drop(c)
		return
	}
	if c.meter != nil {
		c.meter.limit(conn.InFlight())
	}
}
