package nettest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Dialogue is an endpoint that answers each request by its number on its connection, and leaves
// closing to the sender.
type Dialogue struct {
	mu    sync.Mutex
	conns []net.Conn
	seen  []int // for each request, the number of its connection
}

// Serve returns the endpoint's URL: with a CA it speaks TLS.
func (d *Dialogue) Serve(t *testing.T, ca *Authority, answer func(c net.Conn, nth int)) string {
	t.Helper()
	serve := func(c net.Conn) {
		d.mu.Lock()
		n := len(d.conns)
		d.conns = append(d.conns, c)
		d.mu.Unlock()
		r := bufio.NewReader(c)
		for nth := 0; ; nth++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			d.mu.Lock()
			d.seen = append(d.seen, n)
			d.mu.Unlock()
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
			answer(c, nth)
		}
	}
	if ca == nil {
		return "http://" + Listen(t, serve)
	}
	config := ca.Config(t, "127.0.0.1")
	return "https://" + Listen(t, func(c net.Conn) { serve(tls.Server(c, config)) })
}

// Requests returns the number of the connection of each request.
func (d *Dialogue) Requests() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.seen)
}

// Last returns the newest connection.
func (d *Dialogue) Last() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conns[len(d.conns)-1]
}

// OverBoth runs a test over plain connections and over TLS.
func OverBoth(t *testing.T, test func(t *testing.T, ca *Authority)) {
	t.Run("http", func(t *testing.T) { test(t, nil) })
	t.Run("https", func(t *testing.T) { test(t, NewAuthority(t)) })
}
