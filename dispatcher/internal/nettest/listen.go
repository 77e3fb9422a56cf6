package nettest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is how long a wire test waits for what must come.
const Patience = 30 * time.Second

// Loopback is what AllowPrefixes must have for deliveries to reach a test's own servers.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Receive takes a value from a channel, and fails the test when none comes.
func Receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(Patience):
		t.Fatalf("%s did not come within %v", what, Patience)
	}
	return v
}

// Listen serves each connection to a new port of 127.0.0.1 in a goroutine of its own, and returns
// the port's address. When the test ends, connections are closed and their goroutines waited for.
func Listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	Serve(t, l, serve)
	return l.Addr().String()
}

// ListenPair returns listeners on the same port of two addresses. The caller serves both.
func ListenPair(t *testing.T, a, b string) (first, second net.Listener) {
	t.Helper()
	for range 100 { // until a port of a is free on b too
		l, err := net.Listen("tcp", net.JoinHostPort(a, "0"))
		if err != nil {
			t.Fatal(err)
		}
		// The first stays open, so that nobody else is given its port meanwhile.
		m, err := net.Listen("tcp", net.JoinHostPort(b, Port(l.Addr().String())))
		if err == nil {
			return l, m
		}
		l.Close()
	}
	t.Fatalf("no port is free on both %s and %s", a, b)
	return nil, nil
}

// Serve is Listen with a listener that is open already, and closes it when the test ends.
func Serve(t *testing.T, l net.Listener, serve func(net.Conn)) {
	t.Helper()
	var (
		mu    sync.Mutex
		conns []net.Conn
		wg    sync.WaitGroup
	)
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
}

// Counter counts the requests or connections that reach a server.
type Counter struct {
	mu sync.Mutex
	n  int
}

// Add counts one.
func (c *Counter) Add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

// Count returns how many there were.
func (c *Counter) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// ServeHTTP counts and answers 200.
func (c *Counter) ServeHTTP(http.ResponseWriter, *http.Request) { c.Add() }

// Port returns the port of an address.
func Port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// Refusing returns an address that refuses connections: the near end of a connection that is open,
// so that nobody else is given it.
func Refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// Reset closes a TCP connection with a reset.
func Reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// Answering serves what answer does once a request has come. Then it waits for the sender to hang
// up.
func Answering(answer func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		answer(c)
		io.Copy(io.Discard, c)
	}
}

// Says is an answer of these bytes.
func Says(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) }
}
