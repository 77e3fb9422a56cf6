package dispatcher_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/store"
)

// sendUntil makes an attempt at the URL, cuts it off once begun has come, and returns its result.
func sendUntil(t *testing.T, w *wire, url string, begun <-chan struct{}) store.Attempt {
	t.Helper()
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	done := make(chan store.Attempt, 1)
	go func() { done <- w.Send(ctx, benchClaim(url)) }()
	nettest.Receive(t, begun, "the beginning of the attempt")
	cut()
	return nettest.Receive(t, done, "the end of the attempt")
}

// A dial, a lookup and a handshake end with the attempt that they were for: nothing is left that
// holds a socket.
func TestNothingOutlivesAnAttempt(t *testing.T) {
	begun, ended := make(chan struct{}, 16), make(chan struct{}, 16)
	hang := func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		begun <- struct{}{}
		io.Copy(io.Discard, c) // until the sender hangs up
		ended <- struct{}{}
	}
	address := nettest.Listen(t, hang)
	for _, tt := range []struct{ name, url string }{
		{"request", "http://" + address},
		{"handshake", "https://" + address},
	} {
		w := newWire(t, dispatcher.Options{Timeout: time.Hour})
		if a := sendUntil(t, w, tt.url,
			begun); dispatcher.ErrorClass(a.Error) != dispatcher.ClassCanceled {
			t.Errorf("%s: %+v, want class canceled", tt.name, a)
		}
		nettest.Receive(t, ended, "the end of the "+tt.name)
	}

	w := newWire(t, dispatcher.Options{Timeout: time.Hour})
	w.Resolve(&net.Resolver{PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			begun <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
			return nil, ctx.Err()
		}}, nil)
	if a := sendUntil(t, w, "http://"+nettest.Name("endpoint"),
		begun); dispatcher.ErrorClass(a.Error) != dispatcher.ClassCanceled {
		t.Errorf("lookup: %+v, want class canceled", a)
	}
	nettest.Receive(t, ended, "the end of the lookup")
}

// HTTP/2 is spoken where the endpoint does, and its connection kept.
func TestHTTP2(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var (
		mu     sync.Mutex
		protos []string
		from   = make(map[string]bool)
	)
	address := nettest.ServeTLS(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		protos = append(protos, r.Proto)
		from[r.RemoteAddr] = true
		if err != nil || int64(len(body)) != r.ContentLength || r.Header.Get("webhook-id") == "" ||
			r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("got %d bytes of %d, %v, headers %v", len(body), r.ContentLength, err, r.Header)
		}
		io.WriteString(rw, "taken")
	}), ca.Config(t, "127.0.0.1"))
	w := newWire(t, dispatcher.Options{})
	w.Trust(ca.Pool)
	const attempts = 5
	for range attempts {
		if a := w.ping(t, "https://"+address); a.Status != 200 || string(a.Response) != "taken" {
			t.Errorf("attempt: %+v, want 200", a)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := slices.Repeat([]string{"HTTP/2.0"}, attempts); !slices.Equal(protos, want) ||
		len(from) != 1 {
		t.Errorf("%v over %d connections, want %v over one", protos, len(from), want)
	}
}

// An endpoint that closes connections without saying so costs retries, but no delivery.
func TestConnectionsClosedUnderLoad(t *testing.T) {
	var (
		mu  sync.Mutex
		got = make(map[string]bool)
		n   int
	)
	url := "http://" + nettest.Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for { // every third request is the last of its connection
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			mu.Lock()
			got[req.Header.Get("webhook-id")] = true
			n++
			last := n%3 == 0
			mu.Unlock()
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if last {
				return
			}
		}
	})
	w := startWire(t, dispatcher.Options{Backoff: dispatcher.Backoff{Initial: time.Millisecond,
		Multiplier: 1, MaxAttempts: 100}})
	w.subscribe(t, store.Subscription{URL: url})
	const events = 500
	published := make(map[string]bool)
	for range events {
		published[w.publish(t, "text").ID] = true
	}
	for delivered := 0; delivered < events; {
		switch a := w.next(t); {
		case a.State == store.Delivered:
			delivered++
		case dispatcher.ErrorClass(a.Attempt.Error) != dispatcher.ClassConnect:
			t.Errorf("attempt %+v, want a delivery or class connect", a.Attempt)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for id := range published {
		if !got[id] {
			t.Errorf("event %s is delivered but did not arrive", id)
		}
	}
}

// What an endpoint sends is never held, however much it is.
func TestMemoryOfAnAttempt(t *testing.T) {
	ca := nettest.NewAuthority(t)
	const most = 4 << 20 // bytes allocated in all, by the endpoint too
	for _, e := range append(endless(t),
		hostile{name: "HTTP/2", url: serveFrames(t, ca, endlessData)}) {
		w := newWire(t, dispatcher.Options{})
		w.Trust(ca.Pool)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.ping(t, e.url)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%s: an attempt allocated %d bytes, want at most %d", e.name, n, most)
		}
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A transport of the host's own may do anything.
func TestOwnTransport(t *testing.T) {
	answer := func(res *http.Response, err error) transportFunc {
		return func(*http.Request) (*http.Response, error) { return res, err }
	}
	broken := io.NopCloser(iotest.ErrReader(errors.New(canary)))
	const failed = "sender: it failed while sending"
	for _, tt := range []struct {
		name      string
		transport transportFunc
		success   func(int) bool
		status    int
		want      string
	}{
		{name: "no body", transport: answer(&http.Response{StatusCode: 200}, nil), status: 200},
		{name: "a body that fails", transport: answer(&http.Response{StatusCode: 200, Body: broken}, nil),
			status: 200},
		{name: "an error", transport: answer(nil, errors.New(canary)),
			want: "connect: the connection broke before an answer"},
		{name: "neither", transport: answer(nil, nil), want: failed},
		{name: "a panic", transport: func(*http.Request) (*http.Response, error) {
			panic(canary)
		}, want: failed},
		{name: "a panic of Success", transport: answer(&http.Response{StatusCode: 200}, nil),
			success: func(int) bool { panic(canary) }, status: 200, want: failed},
		{name: "waits for the deadline", transport: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, errors.New(canary)
		}, want: "timeout: no answer in time"},
	} {
		w := newWire(t, dispatcher.Options{Transport: tt.transport, Success: tt.success,
			Timeout: 50 * time.Millisecond})
		if a := w.ping(t, "https://endpoint.example/"); a.Error != tt.want || a.Status != tt.status {
			t.Errorf("%s: status %d, error %q; want %d, %q", tt.name, a.Status, a.Error, tt.status, tt.want)
		}
	}
}

func TestURLStoredUnchecked(t *testing.T) {
	var reached nettest.Counter
	address := nettest.Listen(t, func(net.Conn) { reached.Add() })
	w := newWire(t, dispatcher.Options{})
	for _, url := range []string{"", "ftp://" + address, "file:///etc/passwd", address,
		"http:" + address, "//" + address,
		"http://", "http:///x", "http://%zz", "http://" + address + "\r\nX: y", "http://\x00"} {
		if a := w.ping(t, url); a.Error != "sender: the stored URL is not one that can be posted to" {
			t.Errorf("%q: %+v, want that it cannot be posted to", url, a)
		}
	}
	if n := reached.Count(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
	secret := "http://user:" + canary + "@" + strings.TrimPrefix(anonymous(t), "http://")
	if a := w.ping(t, secret); a.Error != "sender: the stored URL is not one that can be posted to" {
		t.Errorf("with user info: %+v, want that it cannot be posted to", a)
	}
}

// anonymous is an endpoint that fails the test when a request brings credentials.
func anonymous(t *testing.T) string {
	return "http://" + nettest.ServeHTTP(t,
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Errorf("Authorization %q, want none", r.Header.Get("Authorization"))
			}
		}))
}

func TestTrustIsTheSystems(t *testing.T) {
	ca := nettest.NewAuthority(t)
	var reached nettest.Counter
	address := nettest.ServeTLS(t, &reached, ca.Config(t, "127.0.0.1"))
	w := newWire(t,
		dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if a := w.ping(t, "https://"+address); dispatcher.ErrorClass(a.Error) != dispatcher.ClassTLS ||
		reached.Count() != 0 {
		t.Errorf("%+v and %d requests, want class tls and none", a, reached.Count())
	}
}
