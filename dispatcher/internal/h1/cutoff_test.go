package h1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// A request that is cut off ends at once in every phase of its exchange, and its connection with
// it.
func TestCutOffInEveryPhase(t *testing.T) {
	readAll := func(r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			io.Copy(io.Discard, req.Body)
		}
	}
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			name   string
			body   []byte
			serve  func(r *bufio.Reader, c net.Conn)
			status int
		}{
			{"writing", large, func(r *bufio.Reader, _ net.Conn) { r.ReadByte() }, 0},
			{"waiting", small, func(r *bufio.Reader, _ net.Conn) { readAll(r) }, 0},
			{"header", small, func(r *bufio.Reader, c net.Conn) {
				readAll(r)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Len")
			}, 0},
			{"body", small, func(r *bufio.Reader, c net.Conn) {
				readAll(r)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
			}, 200},
			{"body of a large request", large, func(r *bufio.Reader, c net.Conn) {
				r.ReadByte()
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
			}, 200},
		} {
			begun, ended, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
			config := &tls.Config{}
			scheme := "http://"
			if ca != nil {
				config, scheme = ca.Config(t, "127.0.0.1"), "https://"
			}
			url := scheme + nettest.Listen(t, func(c net.Conn) {
				s := c
				if ca != nil {
					s = tls.Server(c, config)
				}
				tt.serve(bufio.NewReader(s), s)
				close(begun)
				<-over
				io.Copy(io.Discard, c) // until the sender hangs up
				close(ended)
			})
			tr := newTransport(t, ca)
			parent, cut := context.WithCancel(t.Context())
			ctx := h1.WithDeadline(parent, time.Now().Add(time.Hour))
			defer ctx.Cancel()
			done := make(chan answer, 1)
			go func() { done <- post(ctx, tr, url, tt.body) }()
			nettest.Receive(t, begun, "the beginning of the request")
			cut()
			a := nettest.Receive(t, done, "the end of the request")
			if a.status != 0 && a.status != tt.status || a.status == 0 && a.err == nil {
				t.Errorf("%s: %+v, want an error or status %d", tt.name, a, tt.status)
			}
			close(over)
			nettest.Receive(t, ended, tt.name+": the end of the connection")
			if n := tr.Idle(); n != 0 {
				t.Errorf("%s: %d connections are idle, want none", tt.name, n)
			}
		}
	})
}

// A request whose context has ended before it began is not sent.
func TestEndedContext(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says(ok))
		tr := newTransport(t, ca)
		ping(t, tr, url) // there is an idle connection
		parent, cancel := context.WithCancel(t.Context())
		ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
		defer ctx.Cancel()
		cancel()
		if a := post(ctx, tr, url, small); !errors.Is(a.err, context.Canceled) {
			t.Errorf("%+v, want context.Canceled", a)
		}
		if got, want := d.Requests(), []int{0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// Idle connections end when the parent of their last request does.
func TestIdleConnectionsOfAnEndedParent(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says(ok))
		tr := newTransport(t, ca)
		parent, cancel := context.WithCancel(t.Context())
		ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
		defer ctx.Cancel()
		post(ctx, tr, url, small)
		cancel()
		if a := ping(t, tr, url); a.status != 200 {
			t.Errorf("%+v, want 200", a)
		}
		if got, want := d.Requests(), []int{0, 1}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v: the first one was interrupted", got, want)
		}
	})
}
