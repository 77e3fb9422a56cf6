package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/httpapi/internal/apitest"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// pipes is a net.Listener whose connections are pipes, so that a server can run in a bubble of
// synctest.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves the endpoints in a bubble and returns a connection to them.
func dial(t *testing.T, s store.Store, server *http.Server) net.Conn {
	t.Helper()
	return connectTo(t, s, server)()
}

// connectTo serves the endpoints in a bubble and returns a function that makes a connection to
// them.
func connectTo(t *testing.T, s store.Store, server *http.Server) (connect func() net.Conn) {
	t.Helper()
	d, err := dispatcher.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	server.Handler = apitest.Record(t, h)
	p := pipes{make(chan net.Conn), make(chan struct{})}
	go func() { _ = server.Serve(p) }()
	t.Cleanup(func() { _ = server.Close() })
	return func() net.Conn {
		client, far := net.Pipe()
		p.conns <- far
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
}

// send writes a request whose body lacks its last missing bytes, and returns the response's
// status, message, and how long it took.
func send(t *testing.T, conn net.Conn, endpoint, body string, missing int) (int, string,
	time.Duration) {
	t.Helper()
	start := time.Now()
	fmt.Fprintf(conn,
		"POST /webhooks.%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", endpoint, len(body)+missing, body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), time.Since(start)
}

func TestBodyTimeout(t *testing.T) {
	for _, test := range []struct {
		name        string
		readTimeout time.Duration // of the http.Server
		want        time.Duration
	}{
		{"ours", 0, httpapi.BodyTimeout},
		{"the server's, shorter", 3 * time.Second, 3 * time.Second},
		{"the server's, longer", time.Minute, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := dial(t, memstore.New(), &http.Server{ReadTimeout: test.readTimeout})
				status, text, after := send(t, conn, "info", `{"id":`, 10)
				if status != 408 || after != test.want || !strings.Contains(text, `{"message":"`) {
					t.Errorf("got %d %s after %v, want 408 after %v", status, text, after, test.want)
				}
			})
		})
	}
}

// TestTricklingClients has a hundred clients send a byte a second, of the body or of the headers:
// nobody waits for them, and they are sent away in time.
func TestTricklingClients(t *testing.T) {
	const clients, headerTimeout = 100, 10 * time.Second
	for _, test := range []struct {
		name, begin string
		most        time.Duration
		status      int
	}{
		{"body",
			"POST /webhooks.info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
				"Content-Length: 1000\r\n\r\n", httpapi.BodyTimeout, 408},
		{"headers", "POST /webhooks.info HTTP/1.1\r\nHost: x\r\nX-Slow: ", headerTimeout, 408},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connect := connectTo(t, memstore.New(), &http.Server{ReadHeaderTimeout: headerTimeout})
				gone := make(chan time.Duration, clients)
				start := time.Now()
				var tricklers sync.WaitGroup
				for range clients {
					conn := connect()
					tricklers.Go(func() { trickle(conn, test.begin) })
					go func() {
						resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
						if err == nil && resp.StatusCode != test.status {
							t.Errorf("a client that trickles its %s got %d, want %d", test.name, resp.StatusCode,
								test.status)
						}
						gone <- time.Since(start)
					}()
				}
				for range 10 {
					<-time.After(time.Second / 2)
					if status, text, after := send(t, connect(), "list", "{}", 0); status != 200 || after != 0 {
						t.Errorf("another client got %d %s after %v, want 200 at once", status, text, after)
					}
				}
				for range clients {
					if after := <-gone; after > test.most {
						t.Errorf("a client that trickles its %s was sent away after %v, want %v at most", test.name,
							after, test.most)
					}
				}
				tricklers.Wait()
			})
		})
	}
}

// trickle writes a request's beginning, and then a byte a second for as long as they are taken.
func trickle(conn net.Conn, begin string) {
	_, err := io.WriteString(conn, begin)
	for err == nil {
		<-time.After(time.Second)
		_, err = io.WriteString(conn, "{")
	}
}

// A refusal that needs no body is not held up for longer than one either, although net/http waits
// for what is to come.
func TestBodyTimeoutOfRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, memstore.New(), &http.Server{})
		start := time.Now()
		fmt.Fprint(conn,
			"POST /webhooks.info HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"+
				"Content-Length: 10\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if after := time.Since(start); resp.StatusCode != 415 || after > httpapi.BodyTimeout {
			t.Errorf("got %d after %v, want 415 within %v", resp.StatusCode, after, httpapi.BodyTimeout)
		}
	})
}

// slowStore takes long to find subscriptions, unless its context ends.
type slowStore struct {
	store.Store
	takes time.Duration
}

func (s slowStore) Subscriptions(ctx context.Context,
	q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	_, err := s.Subscription(ctx, "")
	if errors.Is(err, store.ErrNotFound) {
		return s.Store.Subscriptions(ctx, q)
	}
	return store.Page[store.Subscription]{}, err
}

func (s slowStore) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	select {
	case <-time.After(s.takes):
		return s.Store.Subscription(ctx, id)
	case <-ctx.Done():
		return store.Subscription{}, errors.New("slow: " + ctx.Err().Error())
	}
}

// The limit is the body's: what comes after may take longer, also where there is no body.
func TestBodyTimeoutIsTheBodys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes = 3 * httpapi.BodyTimeout
		conn := dial(t, slowStore{memstore.New(), takes}, &http.Server{})
		for _, test := range []struct { // on one connection
			endpoint, body string
			want           int
		}{{"info", `{"id":"` + id1 + `"}`, 404}, {"list", ``, 200}, {"list", `{}`, 200}} {
			status, text, after := send(t, conn, test.endpoint, test.body, 0)
			if status != test.want || after != takes {
				t.Errorf("%s: got %d %s after %v, want %d after %v", test.endpoint, status, text, after,
					test.want, takes)
			}
		}
	})
}
