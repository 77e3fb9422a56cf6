package dispatcher_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// trusting is newWire, trusting the CA if there is one.
func trusting(t *testing.T, ca *nettest.Authority, o dispatcher.Options) *wire {
	t.Helper()
	w := newWire(t, o)
	if ca != nil {
		w.Trust(ca.Pool)
	}
	return w
}

// A connection is used again when, and only when, nothing can be left of the exchange before.
func TestConnectionIsUsedAgain(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	exactly := func(size int, end string) string { // an answer of so many bytes in all
		head := ok + "X-Fill: "
		const tail = "\r\nContent-Length: 2\r\n\r\nok"
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail + end
	}
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			name, answer string
			again        bool
		}{
			{"no body", ok + "Content-Length: 0\r\n\r\n", true},
			{"a body", ok + "Content-Length: 2\r\n\r\nok", true},
			{"a body as long as is kept", ok + "Content-Length: 1024\r\n\r\n" + strings.Repeat("y", 1024), true},
			{"a body as long as is read", ok + "Content-Length: 65536\r\n\r\n" + strings.Repeat("y", 65536), true},
			{"a body longer than is read", ok + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65538), false},
			{"a longer body, of which no more has come", ok + "Content-Length: 65538\r\n\r\n" + strings.Repeat("y", 65537), false},
			{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
			{"chunks and a trailer", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: b\r\n\r\n", true},
			{"a failure", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", true},
			{"204", "HTTP/1.1 204 Nothing\r\n\r\n", true},
			{"100 first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", true},
			{"says that it closes", ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
			{"HTTP/1.0 that keeps", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
			{"101", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false},
			{"more after it", ok + "Content-Length: 2\r\n\r\nok" + ok, false},
			{"fills a buffer", exactly(4096, ""), true},
			{"fills a buffer, and more", exactly(4096, ok), false},
		} {
			var d nettest.Dialogue
			url := d.Serve(t, ca, func(c net.Conn, _ int) { io.WriteString(c, tt.answer) })
			w := trusting(t, ca, dispatcher.Options{})
			for range 2 {
				if a := w.ping(t, url); a.Status == 0 {
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
func untilDisturbed(t *testing.T, w *wire, url string) {
	t.Helper()
	deadline := time.Now().Add(nettest.Patience)
	for w.Quiet(url) {
		if time.Now().After(deadline) {
			t.Fatal("nothing came over the idle connection")
		}
		runtime.Gosched()
	}
}

// What happens to a connection while it is idle is noticed before anything is sent over it: no attempt is lost to it.
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
			{"an answer that nobody asked for", nettest.Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")},
		} {
			var d nettest.Dialogue
			url := d.Serve(t, ca, func(c net.Conn, nth int) {
				io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
			})
			w := trusting(t, ca, dispatcher.Options{})
			w.ping(t, url)
			tt.do(d.Last())
			untilDisturbed(t, w, url)
			if a := w.ping(t, url); a.Status != 503 {
				t.Errorf("%s: %+v, want the answer over a new connection", tt.name, a)
			}
			if got, want := d.Requests(), []int{0, 1}; !slices.Equal(got, want) {
				t.Errorf("%s: requests over connections %v, want %v", tt.name, got, want)
			}
		}
	})
}

// A request whose answer is lost may have been taken: it is not sent again by the same attempt.
func TestLostAnswerIsAFailure(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth == 0 {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			} else {
				c.Close()
			}
		})
		w := trusting(t, ca, dispatcher.Options{})
		w.ping(t, url)
		if a := w.ping(t, url); a.Error != "connect: the connection was closed before an answer" {
			t.Errorf("%+v, want that the connection was closed", a)
		}
		if got, want := d.Requests(), []int{0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// body is an event's, of so many bytes.
func body(size int) []byte { return []byte(`{"x":"` + strings.Repeat("x", size-8) + `"}`) }

// large is a claim whose request no socket takes at once.
func large(url string) *store.Claim {
	c := benchClaim(url)
	c.Body = body(16 << 20)
	return c
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
		w := trusting(t, ca, dispatcher.Options{})
		url := "http://" + address
		if ca != nil {
			url = "https://" + address
		}
		if a := w.Send(t.Context(), large(url)); a.Status != 413 || string(a.Response) != "no" {
			t.Errorf("%+v, want 413 and what it says", a)
		}
		close(over)
		nettest.Receive(t, hungUp, "the end of the connection")
	})
}

// A large request is written while the answer is awaited, and the connection used again.
func TestLargeRequests(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") })
		w := trusting(t, ca, dispatcher.Options{})
		for range 3 {
			if a := w.Send(t.Context(), large(url)); a.Status != 200 {
				t.Errorf("%+v, want 200", a)
			}
		}
		if got, want := d.Requests(), []int{0, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// Each attempt has the whole Timeout, however long its connection has been kept.
func TestTimeoutOfEachAttempt(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		t.Parallel() // it takes its time
		const timeout = 4 * time.Second
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth < 2 {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		w := trusting(t, ca, dispatcher.Options{Timeout: timeout})
		first := time.Now()
		w.ping(t, url)
		<-time.After(time.Until(first.Add(timeout + timeout/10))) // the deadline of the first attempt passes
		w.ping(t, url)
		if a := w.ping(t, url); a.Error != "timeout: no answer in time" || a.Duration < timeout {
			t.Errorf("%+v, want a timeout after %v", a, timeout)
		}
		if got, want := d.Requests(), []int{0, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// The end of the context of an attempt that is over disturbs no other.
func TestContextsOfAttemptsBefore(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") })
		w := trusting(t, ca, dispatcher.Options{})
		for n := range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			if a := w.Send(ctx, benchClaim(url)); a.Status != 200 {
				t.Fatalf("attempt %d: %+v, want 200", n, a)
			}
			go cancel() // while the next attempt begins
		}
	})
}

// secondsOf are where two requests may differ.
var secondsOf = regexp.MustCompile(`Webhook-Timestamp: \d+`)

// What is sent is what net/http sends, byte for byte.
func TestBytesAreThoseOfNetHTTP(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		body       int
		headers    map[string]string
	}{
		{"small", "", 8, nil},
		{"a query", "/hooks/a%2Fb;c?tenant=7&x=%20", 512, map[string]string{"X-B": "value", "X-A": "grüße"}},
		{"large", "/", 1 << 20, nil},
		{"large headers", "/", 8, map[string]string{"X-A": strings.Repeat("v", 4096), "X-B": strings.Repeat("w", 20<<10)}},
	} {
		url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
		claim := benchClaim(url + tt.path)
		claim.Subscription.Headers, claim.Subscription.Secrets = tt.headers, nil
		claim.Body = body(tt.body)
		var raw []string
		for _, transport := range []http.RoundTripper{nil, &http.Transport{DisableCompression: true}} {
			w := newWire(t, dispatcher.Options{Transport: transport})
			if a := w.Send(t.Context(), claim); a.Status != 200 {
				t.Fatalf("%s: %+v, want 200", tt.name, a)
			}
			raw = append(raw, secondsOf.ReplaceAllString(nettest.Receive(t, requests, "a request").Raw, "Webhook-Timestamp: 0"))
		}
		if raw[0] != raw[1] {
			t.Errorf("%s: sent %.400q, want what net/http sends: %.400q", tt.name, raw[0], raw[1])
		}
	}
}
