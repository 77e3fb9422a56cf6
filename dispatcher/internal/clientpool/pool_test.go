package clientpool_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/outhook/outhook/dispatcher/internal/clientpool"
	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// open opens an HTTP/2 connection to an endpoint for a tenant, and sends one request over it.
func open(t *testing.T, p *clientpool.Pool, ca *nettest.Authority, endpoint,
	tenant string) h1.Origin {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	o := h1.Origin{Scheme: "https", Host: u.Host, Tenant: tenant}
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: ca.Pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Open(t.Context(), o, conn, clientpool.HTTP2)
	if err != nil {
		t.Fatal(err)
	}
	post(t, c, endpoint)
	return o
}

func post(t *testing.T, c *clientpool.Client, endpoint string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nettest.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := c.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

func newPool(t *testing.T, max int, idle time.Duration) *clientpool.Pool {
	p := clientpool.New(clientpool.Config{
		Max: max, IdleTimeout: idle, HTTP2: &http.HTTP2Config{}, MaxResponseHeader: 64 << 10,
	})
	t.Cleanup(p.CloseIdleConnections)
	return p
}

// untilLen waits until the pool has n clients.
func untilLen(t *testing.T, p *clientpool.Pool, n int, why string) {
	t.Helper()
	for deadline := time.Now().Add(nettest.Patience); p.Len() != n; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d clients are in the pool, want %d", why, p.Len(), n)
		}
	}
}

// answering is an endpoint that answers 200 and then does what follows.
func answering(t *testing.T, ca *nettest.Authority,
	then func(f *http2.Framer, stream uint32) error) string {
	return nettest.ServeFrames(t, ca,
		nettest.Frames{Answer: func(f *http2.Framer, stream uint32) error {
			if err := nettest.AnswerFrames(f, stream, "200"); err != nil {
				return err
			}
			return then(f, stream)
		}})
}

func nothing(*http2.Framer, uint32) error { return nil }

// A client is taken by requests of its origin alone, and a pool that is full closes the one that
// has been idle for longest.
func TestPoolIsBounded(t *testing.T) {
	ca := nettest.NewAuthority(t)
	endpoint := answering(t, ca, nothing)
	p := newPool(t, 2, time.Hour)
	a, b := open(t, p, ca, endpoint, "a"), open(t, p, ca, endpoint, "b")
	c := p.Take(a) // now b has been idle for longest
	if c == nil {
		t.Fatal("nothing was taken, want the client of a")
	}
	post(t, c, endpoint)
	open(t, p, ca, endpoint, "c")
	if p.Len() != 2 || p.Take(b) != nil {
		t.Errorf("%d clients, and b's is taken or not; want 2, and b's gone", p.Len())
	}
	if c := p.Take(a); c == nil {
		t.Error("nothing was taken, want the client of a")
	} else {
		post(t, c, endpoint)
	}
}

func TestPoolClosesInTime(t *testing.T) {
	ca := nettest.NewAuthority(t)
	endpoint := answering(t, ca, nothing)
	p := newPool(t, 2, 20*time.Millisecond)
	open(t, p, ca, endpoint, "a")
	untilLen(t, p, 0, "after the idle timeout")
}

// A client whose connection ends, or goes away, leaves the pool without waiting to be taken.
func TestPoolDropsWhatHasEnded(t *testing.T) {
	ca := nettest.NewAuthority(t)
	for name, then := range map[string]func(*http2.Framer, uint32) error{
		"closed": func(*http2.Framer, uint32) error { return io.EOF },
		"flooded": func(f *http2.Framer, _ uint32) (err error) {
			for err == nil {
				err = f.WritePing(false, [8]byte{})
			}
			return err
		},
	} {
		p := newPool(t, 2, time.Hour)
		open(t, p, ca, answering(t, ca, then), "a")
		untilLen(t, p, 0, name)
	}
}

// What requests have not used of what may come is taken back when they are over: an endpoint cannot
// save it up for a flood.
func TestPoolTakesBackWhatIsNotUsed(t *testing.T) {
	ca := nettest.NewAuthority(t)
	const requests = 50
	n, pongs := 0, make(chan int, 1)
	endpoint := answering(t, ca, func(f *http2.Framer, _ uint32) error {
		if n++; n < requests {
			return nil
		}
		// Each ping waits for its answer, so that their number is exact.
		for k := 0; ; k++ {
			if err := f.WritePing(false, [8]byte{}); err != nil {
				pongs <- k
				return err
			}
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					pongs <- k
					return err
				}
				if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() {
					break
				}
			}
		}
	})
	p := newPool(t, 2, time.Hour)
	o := open(t, p, ca, endpoint, "a")
	for range requests - 1 {
		c := p.Take(o)
		if c == nil {
			t.Fatal("nothing was taken, want the client")
		}
		post(t, c, endpoint)
	}
	const most = 2 * (clientpool.FramesIdle + clientpool.FramesPerRequest)
	if k := nettest.Receive(t, pongs, "the end of the connection"); k > most {
		t.Errorf("%d pings were answered after %d requests, want %d at most", k, requests, most)
	}
}

// A connection that is not good for a request is closed.
func TestOpenFails(t *testing.T) {
	here, there := net.Pipe()
	there.Close()
	p := newPool(t, 2, time.Hour)
	if c, err := p.Open(t.Context(), h1.Origin{}, here, clientpool.HTTP2); err == nil {
		t.Errorf("Open = %v, want an error", c)
	}
	if _, err := here.Read(make([]byte, 1)); err != io.ErrClosedPipe {
		t.Errorf("Read = %v, want that the connection was closed", err)
	}
	if p.Len() != 0 {
		t.Errorf("%d clients, want none", p.Len())
	}
}
