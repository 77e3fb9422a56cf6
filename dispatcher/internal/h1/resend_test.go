package h1_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// lostAnswers is an endpoint that answers the first request over each connection and ends the
// connection at the second one, after it has said so much.
func lostAnswers(t *testing.T, ca *nettest.Authority, d *nettest.Dialogue, says string,
	end func(net.Conn)) string {
	return d.Serve(t, ca, func(c net.Conn, nth int) {
		if nth == 0 {
			io.WriteString(c, ok)
			return
		}
		io.WriteString(c, says)
		end(c)
	})
}

// ends are the ways in which an endpoint can end a connection.
var ends = map[string]func(net.Conn){
	"closed": func(c net.Conn) { c.Close() },
	"reset": func(c net.Conn) {
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		nettest.Reset(c)
	},
}

// A request over a kept connection that ends before one byte of an answer goes on over a new one.
func TestLostAnswerOverAKeptConnection(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for name, end := range ends {
			for _, body := range [][]byte{small, large[:1<<20]} {
				var d nettest.Dialogue
				url := lostAnswers(t, ca, &d, "", end)
				tr := newTransport(t, ca)
				ping(t, tr, url)
				ctx := h1.WithDeadline(t.Context(), time.Now().Add(nettest.Patience))
				if a := post(ctx, tr, url, body); a.status != 200 {
					t.Errorf("%s, %d bytes: %+v, want 200", name, len(body), a)
				}
				ctx.Cancel()
				if got, want := d.Requests(), []int{0, 0, 1}; !slices.Equal(got, want) {
					t.Errorf("%s, %d bytes: requests over connections %v, want %v", name, len(body), got, want)
				}
			}
		}
	})
}

// The second request goes over a new connection even if others are idle: what has ended one has
// probably ended all, and there is no third request.
func TestSecondRequestIsOverANewConnection(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		const n = 4
		var (
			d       nettest.Dialogue
			arrived sync.WaitGroup
		)
		arrived.Add(n)
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth > 0 {
				c.Close()
				return
			}
			if len(d.Requests()) <= n {
				arrived.Done()
				arrived.Wait() // so that each of the first needs a connection of its own
			}
			io.WriteString(c, ok)
		})
		tr := newTransport(t, ca)
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { ping(t, tr, url) })
		}
		wg.Wait()
		if a := ping(t, tr, url); a.status != 200 || len(d.Requests()) != n+2 {
			t.Errorf("%+v after %d requests, want 200 after %d", a, len(d.Requests()), n+2)
		}
	})
}

// In every other case a request that may have been sent is not sent again.
func TestLostAnswerIsAFailure(t *testing.T) {
	closes := func(c net.Conn) { c.Close() }
	for _, tt := range []struct {
		name  string
		serve func(t *testing.T, ca *nettest.Authority, d *nettest.Dialogue) string
		want  []int
	}{
		{"over a new connection", func(t *testing.T, ca *nettest.Authority, d *nettest.Dialogue) string {
			return d.Serve(t, ca, func(c net.Conn, _ int) { c.Close() })
		}, []int{0, 1}},
		{"after the beginning of an answer",
			func(t *testing.T, ca *nettest.Authority, d *nettest.Dialogue) string {
				return lostAnswers(t, ca, d, "H", closes)
			}, []int{0, 0}},
		{"twice", func(t *testing.T, ca *nettest.Authority, d *nettest.Dialogue) string {
			return d.Serve(t, ca, func(c net.Conn, _ int) {
				if len(d.Requests()) == 1 {
					io.WriteString(c, ok)
				} else {
					c.Close()
				}
			})
		}, []int{0, 0, 1}},
	} {
		nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
			var d nettest.Dialogue
			url := tt.serve(t, ca, &d)
			tr := newTransport(t, ca)
			ping(t, tr, url)
			if a := ping(t, tr, url); a.err == nil {
				t.Errorf("%s: %+v, want an error", tt.name, a)
			}
			if got := d.Requests(); !slices.Equal(got, tt.want) {
				t.Errorf("%s: requests over connections %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}

// A request that is out of time, or whose body cannot be read again, is not sent again.
func TestNoSecondRequest(t *testing.T) {
	var d nettest.Dialogue
	silent := make(chan struct{}, 1)
	url := d.Serve(t, nil, func(c net.Conn, nth int) {
		if nth == 0 {
			io.WriteString(c, ok)
		} else {
			silent <- struct{}{}
		}
	})
	tr := newTransport(t, nil)
	ping(t, tr, url)
	parent, cut := context.WithCancel(t.Context())
	ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
	defer ctx.Cancel()
	go func() {
		<-silent
		cut()
	}()
	if a := post(ctx, tr, url, small); a.err == nil {
		t.Errorf("cut off: %+v, want an error", a)
	}
	if got, want := d.Requests(), []int{0, 0}; !slices.Equal(got, want) {
		t.Errorf("cut off: requests over connections %v, want %v", got, want)
	}

	var once nettest.Dialogue
	url = lostAnswers(t, nil, &once, "", func(c net.Conn) { c.Close() })
	ping(t, tr, url)
	req := request(t, url, &trackedBody{Reader: strings.NewReader("x")}) // it has no GetBody
	if res, err := tr.RoundTrip(req); err == nil {
		t.Errorf("a body that can be read once: %d, want an error", res.StatusCode)
	}
	if got, want := once.Requests(), []int{0, 0}; !slices.Equal(got, want) {
		t.Errorf("a body that can be read once: requests over connections %v, want %v", got, want)
	}
}
