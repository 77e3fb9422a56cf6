package h1_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

func TestKeepAliveHeader(t *testing.T) {
	const limit = 30 * time.Second
	for _, tt := range []struct {
		values []string
		want   time.Duration
	}{
		{nil, limit},
		{[]string{"timeout=5"}, 4 * time.Second},
		{[]string{"timeout=5, max=100"}, 4 * time.Second},
		{[]string{"max=1,TIMEOUT=5"}, 4 * time.Second},
		{[]string{"max=7", "timeout=20"}, 19 * time.Second},
		{[]string{`timeout="5"`}, 4 * time.Second},
		{[]string{"timeout=2"}, time.Second},
		{[]string{"timeout=1"}, time.Second / 2},
		{[]string{"timeout=30"}, 29 * time.Second},
		{[]string{"timeout=31"}, limit},
		{[]string{"timeout=3600"}, limit},
		{[]string{"timeout=9223372036854775807"}, limit},
		{[]string{"timeout=99999999999999999999"}, limit},
		{[]string{"timeout=0"}, 0},
		{[]string{"timeout=5, max=0"}, 0},
		{[]string{"timeout=-1, max=-1, x=0y, timeout, =, ,"}, limit},
	} {
		h := http.Header{"Keep-Alive": tt.values}
		if d := h1.KeepAlive(h, limit); d != tt.want {
			t.Errorf("%q: %v, want %v", tt.values, d, tt.want)
		}
	}
}

// idle is longer than these tests wait.
const idle = time.Hour

// An endpoint that says how long it leaves a connection open finds it closed before that, and a
// connection that it says is the last is used no more.
func TestKeepAliveIsHeeded(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		for _, tt := range []struct {
			header string
			again  bool
		}{
			{"timeout=3600, max=1", true},
			{"timeout=3600, max=0", false},
			{"timeout=0", false},
		} {
			var d nettest.Dialogue
			url := d.Serve(t, ca, says("HTTP/1.1 200 OK\r\nKeep-Alive: "+tt.header+
				"\r\nContent-Length: 2\r\n\r\nok"))
			tr := newPatientTransport(t, ca, idle)
			ping(t, tr, url)
			ping(t, tr, url)
			want := []int{0, 1}
			if tt.again {
				want = []int{0, 0}
			}
			if got := d.Requests(); !slices.Equal(got, want) {
				t.Errorf("%s: requests over connections %v, want %v", tt.header, got, want)
			}
		}

		ended := make(chan struct{})
		url := serveOnce(t, ca, nil,
			"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 0\r\n\r\n", func(c net.Conn) {
				io.Copy(io.Discard, c)
				close(ended)
			})
		tr := newPatientTransport(t, ca, idle)
		ping(t, tr, url)
		nettest.Receive(t, ended, "the end of a connection that may be used for a second")
	})
}

// serveOnce answers one request for each connection, and calls then with its socket. A connection
// waits for a value from turns, unless that is nil, and gives it back.
func serveOnce(t *testing.T, ca *nettest.Authority, turns chan struct{}, answer string,
	then func(net.Conn)) string {
	t.Helper()
	config, scheme := &tls.Config{}, "http://"
	if ca != nil {
		config, scheme = ca.Config(t, "127.0.0.1"), "https://"
	}
	return scheme + nettest.Listen(t, func(c net.Conn) {
		if turns != nil {
			<-turns
			defer func() { turns <- struct{}{} }()
		}
		s := c
		if ca != nil {
			s = tls.Server(c, config)
		}
		req, err := http.ReadRequest(bufio.NewReader(s))
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		io.WriteString(s, answer)
		then(c)
	})
}

// A connection that the endpoint has closed is closed without waiting for a next request.
func TestClosedByTheEndpoint(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		ended := make(chan struct{}, 1)
		url := serveOnce(t, ca, nil, ok, func(c net.Conn) {
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
			ended <- struct{}{}
		})
		tr := newPatientTransport(t, ca, idle)
		if a := ping(t, tr, url); a.status != 200 {
			t.Errorf("%+v, want 200", a)
		}
		nettest.Receive(t, ended, "the end of a connection that the endpoint has closed")
		if n := tr.Idle(); n != 0 {
			t.Errorf("%d connections are idle, want none", n)
		}
	})
}

// An endpoint that serves one connection at a time, each to its end, gets all requests, however
// many come at once.
func TestOneConnectionAtATime(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		one := make(chan struct{}, 1)
		one <- struct{}{}
		url := serveOnce(t, ca, one, ok, func(c net.Conn) {
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
		})
		tr := newPatientTransport(t, ca, idle)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if a := ping(t, tr, url); a.status != 200 {
					t.Errorf("%+v, want 200", a)
				}
			})
		}
		wg.Wait()
	})
}
