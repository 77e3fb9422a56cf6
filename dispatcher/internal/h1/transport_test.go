package h1_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// trackedBody is a request's body that knows what happened to it.
type trackedBody struct {
	io.Reader
	read, closed bool
}

func (b *trackedBody) Read(p []byte) (int, error) {
	b.read = true
	return b.Reader.Read(p)
}

func (b *trackedBody) Close() error {
	b.closed = true
	return nil
}

func request(t *testing.T, url string, body io.Reader) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nettest.Patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// An endpoint that prefers HTTP/2 gets nothing by this transport.
func TestErrHTTP2(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var reached nettest.Counter
	url := "https://" + nettest.ServeTLS(t, &reached, ca.Config(t, "127.0.0.1"))
	tr := newTransport(t, ca)
	for range 2 {
		body := &trackedBody{Reader: strings.NewReader("x")}
		if _, err := tr.RoundTrip(request(t, url, body)); !errors.Is(err, h1.ErrHTTP2) {
			t.Errorf("RoundTrip = %v, want ErrHTTP2", err)
		}
		if body.read || body.closed {
			t.Errorf("the body was read: %v, closed: %v; want neither", body.read, body.closed)
		}
	}
	if n := reached.Count(); n != 0 {
		t.Errorf("%d requests reached the endpoint, want none", n)
	}
}

// RoundTrip closes the request's body on each way out.
func TestRequestBodyIsClosed(t *testing.T) {
	var d nettest.Dialogue
	good := d.Serve(t, nil, says(ok))
	broken := "http://" + nettest.Listen(t, func(c net.Conn) { nettest.Reset(c) })
	for _, tt := range []struct {
		name, url string
		header    string
		want      error // nil: any, or none
	}{
		{"an answer", good, "value", nil},
		{"a header that HTTP does not allow", good, "a\r\nHost: other", h1.ErrHeader},
		{"no connection", "http://" + nettest.Refusing(t), "value", nil},
		{"a connection that breaks", broken, "value", nil},
	} {
		body := &trackedBody{Reader: strings.NewReader("x")}
		req := request(t, tt.url, body)
		req.Header.Set("X-A", tt.header)
		res, err := newTransport(t, nil).RoundTrip(req)
		if err == nil {
			res.Body.Close()
		}
		if tt.want != nil && err != tt.want || !body.closed {
			t.Errorf("%s: error %v, body closed: %v; want %v, true", tt.name, err, body.closed, tt.want)
		}
	}
}

// brokenConn takes so many bytes and then fails.
type brokenConn struct {
	*net.TCPConn
	takes int
}

func (c *brokenConn) Write(p []byte) (int, error) {
	if len(p) > c.takes {
		return 0, &net.OpError{Op: "write", Err: syscall.ECONNRESET}
	}
	c.takes -= len(p)
	return c.TCPConn.Write(p)
}

// What goes wrong with writing is known, wherever in the request it happens.
func TestWriteErrors(t *testing.T) {
	address := nettest.Listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	for _, takes := range []int{0, 5000, 9000} {
		tr := h1.New(h1.Config{
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &brokenConn{c.(*net.TCPConn), takes}, nil
			},
			MaxResponseHeader: 1 << 10, MaxIdle: 1, MaxIdlePerOrigin: 1, IdleTimeout: nettest.Patience,
		})
		_, err := tr.RoundTrip(request(t, "http://"+address, bytes.NewReader(make([]byte, 12000))))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %d bytes: %v, want ECONNRESET", takes, err)
		}
	}
}

// A body of unknown length is sent in chunks, and the connection used again.
func TestBodyOfUnknownLength(t *testing.T) {
	var (
		mu  sync.Mutex
		got []string
		d   nettest.Dialogue
	)
	url := d.Serve(t, nil, says(ok))
	url2 := "http://" + nettest.ServeHTTP(t,
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			got = append(got, string(b))
		}))
	tr := newTransport(t, nil)
	for range 2 {
		for _, u := range []string{url, url2} {
			res, err := tr.RoundTrip(request(t, u,
				io.MultiReader(strings.NewReader("some "), strings.NewReader("bytes"))))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 2 || got[0] != "some bytes" || got[1] != "some bytes" {
		t.Errorf("arrived %q, want the body twice", got)
	}
	if n := d.Requests(); len(n) != 2 || n[1] != 0 {
		t.Errorf("requests over connections %v, want one connection", n)
	}
}

// The headers of an answer are bounded, interim answers included.
func TestHeadersAreBounded(t *testing.T) {
	for name, begin := range map[string]string{
		"one long header": "HTTP/1.1 200 OK\r\nX-A: ",
		"no end":          "",
		"interim answers": "HTTP/1.1 100 Continue\r\n\r\n",
	} {
		again := strings.Repeat("x", 1024)
		if strings.HasSuffix(begin, "\r\n\r\n") {
			again = strings.Repeat(begin, 64)
		}
		var sent int
		url := "http://" + nettest.Listen(t, nettest.Answering(func(c net.Conn) {
			_, err := io.WriteString(c, begin)
			for err == nil {
				_, err = io.WriteString(c, again)
				sent += len(again)
			}
		}))
		if a := ping(t, newTransport(t, nil), url); !errors.Is(a.err, h1.ErrLargeHeader) {
			t.Errorf("%s: status %d, %v; want ErrLargeHeader", name, a.status, a.err)
		}
	}
}

// Many goroutines send requests to several origins, and cut some off: each answer belongs
// to its request, and at the end no connection is lost.
func TestManyAtOnce(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		echo := func(t *testing.T) string {
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				w.Write(b)
			})
			if ca == nil {
				return "http://" + nettest.ServeHTTP(t, h)
			}
			server := httptest.NewUnstartedServer(h)
			server.TLS = ca.Config(t, "127.0.0.1")
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are cut off
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}
		urls := []string{echo(t), echo(t), echo(t)}
		tr := newTransport(t, ca)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for n := range 60 {
					parent, cut := context.WithCancel(t.Context())
					ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
					body := bytes.Repeat([]byte{byte('a' + g), byte('0' + n%10)}, 1+n*n*8)
					if n%5 == 0 {
						go cut()
					}
					a := post(ctx, tr, urls[(g+n)%len(urls)], body)
					if a.status != 0 && !bytes.HasPrefix(body, []byte(a.body)) || a.err != nil && n%5 != 0 {
						t.Errorf("goroutine %d, request %d: %d, %v, an answer of %d bytes", g, n, a.status, a.err,
							len(a.body))
					}
					ctx.Cancel()
					cut()
				}
			})
		}
		wg.Wait()
		if n := tr.Idle(); n > 16 {
			t.Errorf("%d connections are idle, want at most 16", n)
		}
	})
}
