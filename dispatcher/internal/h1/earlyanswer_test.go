package h1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// An endpoint may answer and close before it has read the request. Its answer is not lost, whether
// the close is a reset or not, and however much of the request was written by then.
func TestAnswerBeforeAClose(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		config := &tls.Config{}
		scheme := "http://"
		if ca != nil {
			config, scheme = ca.Config(t, "127.0.0.1"), "https://"
		}
		for _, size := range []int{1 << 10, 8 << 10, 15 << 10, 40 << 10, 1 << 20} {
			url := scheme + nettest.Listen(t, func(c net.Conn) {
				s := c
				if ca != nil {
					s = tls.Server(c, config)
				}
				// The headers alone; closing with the rest unread is a reset.
				r := bufio.NewReaderSize(s, 16)
				for line := "x"; strings.TrimSpace(line) != ""; {
					var err error
					if line, err = r.ReadString('\n'); err != nil {
						t.Errorf("endpoint: %v", err)
						return
					}
				}
				io.WriteString(s, "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
			})
			tr := newTransport(t, ca)
			for n := range 20 { // how far the request is written by the time of the close varies
				ctx := h1.WithDeadline(t.Context(), time.Now().Add(nettest.Patience))
				if a := post(ctx, tr, url, large[:size]); a.status != 401 {
					t.Errorf("request %d of %d bytes: %+v, want 401", n, size, a)
				}
				ctx.Cancel()
			}
		}
	})
}

// lateWriter is a connection to which each write waits until the endpoint has reset it, so that all
// but the first fail.
type lateWriter struct {
	*net.TCPConn
	writes int
	reset  <-chan struct{}
}

func (c *lateWriter) Write(p []byte) (int, error) {
	if c.writes++; c.writes > 1 {
		<-c.reset
		for { // the system may take bytes until it has heard of the reset
			if _, err := c.TCPConn.Write(p); err != nil {
				return 0, err
			}
		}
	}
	return c.TCPConn.Write(p)
}

// The same where it is certain that writing fails first.
func TestAnswerAfterAFailedWrite(t *testing.T) {
	reset := make(chan struct{}, 1)
	address := nettest.Listen(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 100))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		c.Close() // what is unread makes it a reset
		reset <- struct{}{}
	})
	for _, size := range []int{8 << 10, 15 << 10, 1 << 20} {
		tr := h1.New(h1.Config{
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &lateWriter{TCPConn: c.(*net.TCPConn), reset: reset}, nil
			},
			MaxResponseHeader: 1 << 10, MaxIdle: 1, MaxIdlePerOrigin: 1, IdleTimeout: nettest.Patience,
		})
		ctx := h1.WithDeadline(t.Context(), time.Now().Add(nettest.Patience))
		if a := post(ctx, tr, "http://"+address, large[:size]); a.status != 413 || a.body != "no" {
			t.Errorf("%d bytes: %+v, want 413 and what it says", size, a)
		}
		ctx.Cancel()
	}
}

// An endpoint that knows its answer from the headers need not read the rest.
func TestAnswerBeforeTheEndOfTheRequest(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		config := &tls.Config{}
		if ca != nil {
			config = ca.Config(t, "127.0.0.1")
		}
		hungUp, over := make(chan struct{}), make(chan struct{})
		address := nettest.Listen(t, func(c net.Conn) {
			s := c
			if ca != nil {
				s = tls.Server(c, config)
			}
			if _, err := http.ReadRequest(bufio.NewReader(s)); err != nil {
				t.Errorf("endpoint: %v", err)
			}
			io.WriteString(s, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			<-over
			io.Copy(io.Discard, c) // until the sender hangs up
			close(hungUp)
		})
		tr := newTransport(t, ca)
		url := "http://" + address
		if ca != nil {
			url = "https://" + address
		}
		if a := pingLarge(t, tr, url); a.status != 413 || a.body != "no" {
			t.Errorf("%+v, want 413 and what it says", a)
		}
		close(over)
		nettest.Receive(t, hungUp, "the end of the connection")
	})
}

func pingLarge(t *testing.T, tr *h1.Transport, url string) answer {
	t.Helper()
	ctx := h1.WithDeadline(t.Context(), time.Now().Add(2*nettest.Patience))
	defer ctx.Cancel()
	return post(ctx, tr, url, large)
}

// A large request is written while the answer is awaited, and the connection used again.
func TestLargeRequests(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says(ok))
		tr := newTransport(t, ca)
		for range 3 {
			if a := pingLarge(t, tr, url); a.status != 200 {
				t.Errorf("%+v, want 200", a)
			}
		}
		if got, want := d.Requests(), []int{0, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}
