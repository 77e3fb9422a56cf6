package h1_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// A connection is used again when, and only when, nothing can be left of the exchange before.
func TestConnectionIsUsedAgain(t *testing.T) {
	const begin = "HTTP/1.1 200 OK\r\n"
	exactly := func(size int, end string) string { // an answer of so many bytes in all
		head := begin + "X-Fill: "
		const tail = "\r\nContent-Length: 2\r\n\r\nok"
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail + end
	}
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			name, answer string
			again        bool
		}{
			{"no body", begin + "Content-Length: 0\r\n\r\n", true},
			{"a body", begin + "Content-Length: 2\r\n\r\nok", true},
			{"a body as long as is kept", begin + "Content-Length: 1024\r\n\r\n" + strings.Repeat("y", 1024),
				true},
			{"a body as long as is read", begin + "Content-Length: 65536\r\n\r\n" +
				strings.Repeat("y", 65536), true},
			{"a body longer than is read",
				begin + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65538), false},
			{"a longer body, and no more has come",
				begin + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65537), false},
			{"chunks", begin + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
			{"chunks and a trailer", begin +
				"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: b\r\n\r\n", true},
			{"a failure", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", true},
			{"204", "HTTP/1.1 204 Nothing\r\n\r\n", true},
			{"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + begin +
				"Content-Length: 2\r\n\r\nok", true},
			{"says that it closes", begin + "Connection: close\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0 that keeps",
				"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
			{"101", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false},
			{"more after it", begin + "Content-Length: 2\r\n\r\nok" + begin, false},
			{"fills a buffer", exactly(4096, ""), true},
			{"fills a buffer, and more", exactly(4096, begin), false},
		} {
			var d nettest.Dialogue
			url := d.Serve(t, ca, says(tt.answer))
			tr := newTransport(t, ca)
			for range 2 {
				if a := ping(t, tr, url); a.status == 0 {
					t.Errorf("%s: %+v, want an answer", tt.name, a)
				}
			}
			want := []int{0, 1}
			if tt.again {
				want = []int{0, 0}
			}
			if got := d.Requests(); !slices.Equal(got, want) {
				t.Errorf("%s: requests over connections %v, want %v", tt.name, got, want)
			}
		}
	})
}

// untilDisturbed waits until the connection that is kept for the URL has heard from the endpoint.
func untilDisturbed(t *testing.T, tr *h1.Transport, url string) {
	t.Helper()
	deadline := time.Now().Add(nettest.Patience)
	for tr.Quiescent(url) {
		if time.Now().After(deadline) {
			t.Fatal("nothing came over the idle connection")
		}
		runtime.Gosched()
	}
}

// What happens to a connection while it is idle is noticed before anything is sent over it: no
// request is lost to it.
func TestIdleConnectionIsLookedAt(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			name string
			do   func(net.Conn)
		}{
			{"closed", func(c net.Conn) { c.Close() }},
			{"reset", func(c net.Conn) {
				if t, ok := c.(*tls.Conn); ok {
					c = t.NetConn()
				}
				nettest.Reset(c)
			}},
			{"an answer that nobody asked for", nettest.Says(ok)},
		} {
			var d nettest.Dialogue
			url := d.Serve(t, ca, func(c net.Conn, nth int) {
				io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
			})
			tr := newTransport(t, ca)
			ping(t, tr, url)
			tt.do(d.Last())
			untilDisturbed(t, tr, url)
			if a := ping(t, tr, url); a.status != 503 {
				t.Errorf("%s: %+v, want the answer over a new connection", tt.name, a)
			}
			if got, want := d.Requests(), []int{0, 1}; !slices.Equal(got, want) {
				t.Errorf("%s: requests over connections %v, want %v", tt.name, got, want)
			}
		}
	})
}

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

// Each request has its whole deadline, however long its connection has been kept.
func TestDeadlineOfEachRequest(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		t.Parallel() // it takes its time
		const timeout = 4 * time.Second
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth < 2 {
				io.WriteString(c, ok)
			}
		})
		tr := newTransport(t, ca)
		within := func() answer {
			ctx := h1.WithDeadline(t.Context(), time.Now().Add(timeout))
			defer ctx.Cancel()
			return post(ctx, tr, url, small)
		}
		first := time.Now()
		within()
		<-time.After(time.Until(first.Add(timeout + timeout/10))) // the first deadline passes
		within()
		third := time.Now()
		if a := within(); !errors.Is(a.err, os.ErrDeadlineExceeded) || time.Since(third) < timeout {
			t.Errorf("%+v after %v, want a timeout after %v", a, time.Since(third), timeout)
		}
		if got, want := d.Requests(), []int{0, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// The end of the parent of a request that is over disturbs no other request.
func TestContextsOfRequestsBefore(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says(ok))
		tr := newTransport(t, ca)
		for n := range 200 {
			parent, cancelParent := context.WithCancel(t.Context())
			ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
			if a := post(ctx, tr, url, small); a.status != 200 {
				t.Fatalf("request %d: %+v, want 200", n, a)
			}
			ctx.Cancel()
			go cancelParent() // while the next request begins
		}
	})
}

// A context of any other kind does as well, and its end leaves the idle connection alone.
func TestPlainContexts(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		tr := newTransport(t, ca)
		contexts := []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) { return context.Background(), func() {} },
			func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), nettest.Patience)
			},
		}
		for n, with := range slices.Repeat(contexts, 2) {
			ctx, cancel := with()
			if a := post(ctx, tr, url, small); a.status != 200 || a.body != "ok" {
				t.Errorf("request %d: %+v, want 200", n, a)
			}
			cancel()
		}
		if got, want := d.Requests(), make([]int, 6); !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}
