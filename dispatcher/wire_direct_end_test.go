package dispatcher_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// An attempt that is cut off ends at once in every phase of its exchange, and its connection with it.
func TestCutOffInEveryPhase(t *testing.T) {
	readAll := func(r *bufio.Reader) {
		if req, err := http.ReadRequest(r); err == nil {
			io.Copy(io.Discard, req.Body)
		}
	}
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			name   string
			claim  func(url string) *store.Claim
			serve  func(r *bufio.Reader, c net.Conn)
			status int
		}{
			{"writing", large, func(r *bufio.Reader, _ net.Conn) { r.ReadByte() }, 0},
			{"waiting", benchClaim, func(r *bufio.Reader, _ net.Conn) { readAll(r) }, 0},
			{"header", benchClaim, func(r *bufio.Reader, c net.Conn) {
				readAll(r)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Len")
			}, 0},
			{"body", benchClaim, func(r *bufio.Reader, c net.Conn) {
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
			w := trusting(t, ca, dispatcher.Options{Timeout: time.Hour})
			ctx, cut := context.WithCancel(t.Context())
			done := make(chan store.Attempt, 1)
			go func() { done <- w.Send(ctx, tt.claim(url)) }()
			nettest.Receive(t, begun, "the beginning of the attempt")
			cut()
			a := nettest.Receive(t, done, "the end of the attempt")
			if a.Status != 0 && a.Status != tt.status || a.Status == 0 && dispatcher.ErrorClass(a.Error) != dispatcher.ClassCanceled {
				t.Errorf("%s: %+v, want class canceled or status %d", tt.name, a, tt.status)
			}
			close(over)
			nettest.Receive(t, ended, tt.name+": the end of the connection")
			if n := w.Kept(); n != 0 {
				t.Errorf("%s: %d connections are kept, want none", tt.name, n)
			}
		}
	})
}

// When Run has returned, no connection is left.
func TestRunLeavesNoConnection(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		ended := make(chan struct{}, 16)
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") })
		w := trusting(t, ca, dispatcher.Options{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		w.subscribe(t, store.Subscription{URL: url})
		w.publish(t, "text")
		if a := w.next(t); a.State != store.Delivered {
			t.Errorf("%+v, want a delivery", a)
		}
		if n := w.Kept(); n != 1 {
			t.Errorf("%d connections are kept between attempts, want 1", n)
		}
		stop()
		if err := nettest.Receive(t, done, "the end of Run"); err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		if n := w.Kept(); n != 0 {
			t.Errorf("%d connections are kept after Run, want none", n)
		}
		c := d.Last()
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		go func() {
			io.Copy(io.Discard, c)
			ended <- struct{}{}
		}()
		nettest.Receive(t, ended, "the end of the connection")
	})
}

// A host that traces requests is told of what net/http tells of.
func TestRequestsAreTraced(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") })
		w := trusting(t, ca, dispatcher.Options{})
		told := make(chan struct{}, 1)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotFirstResponseByte: func() { told <- struct{}{} }})
		if a := w.Send(ctx, benchClaim(url)); a.Status != 200 {
			t.Errorf("%+v, want 200", a)
		}
		nettest.Receive(t, told, "the first byte of the answer")
	})
}
