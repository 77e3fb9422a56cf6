package h1_test

import (
	"crypto/tls"
	"io"
	"net"
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
