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
			{"a body as long as is kept", begin + "Content-Length: 1024\r\n\r\n" + strings.Repeat("y", 1024), true},
			{"a body as long as is read", begin + "Content-Length: 65536\r\n\r\n" + strings.Repeat("y", 65536), true},
			{"a body longer than is read", begin + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65538), false},
			{"a longer body, of which no more has come", begin + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65537), false},
			{"chunks", begin + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
			{"chunks and a trailer", begin + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: b\r\n\r\n", true},
			{"a failure", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", true},
			{"204", "HTTP/1.1 204 Nothing\r\n\r\n", true},
			{"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + begin + "Content-Length: 2\r\n\r\nok", true},
			{"says that it closes", begin + "Connection: close\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0 that keeps", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
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

// A request whose answer is lost may have been taken: it is not sent again.
func TestLostAnswerIsAFailure(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth == 0 {
				io.WriteString(c, ok)
			} else {
				c.Close()
			}
		})
		tr := newTransport(t, ca)
		ping(t, tr, url)
		if a := ping(t, tr, url); !errors.Is(a.err, io.EOF) && !errors.Is(a.err, io.ErrUnexpectedEOF) {
			t.Errorf("%+v, want that the connection was closed", a)
		}
		if got, want := d.Requests(), []int{0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
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
