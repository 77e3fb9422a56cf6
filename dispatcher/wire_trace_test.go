package dispatcher_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"testing"

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

// When Run has returned, no connection is left.
func TestRunLeavesNoConnection(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		ended := make(chan struct{}, 16)
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		w := trusting(t, ca, dispatcher.Options{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		w.subscribe(t, store.Subscription{URL: url})
		w.publish(t, "text")
		if a := w.next(t); a.State != store.Delivered {
			t.Errorf("%+v, want a delivery", a)
		}
		stop()
		if err := nettest.Receive(t, done, "the end of Run"); err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		c := d.Last()
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		go func() {
			io.Copy(io.Discard, c)
			ended <- struct{}{}
		}()
		nettest.Receive(t, ended, "the end of the connection")
	})
}

// A host that traces requests is told of what net/http tells of.
func TestRequestsAreTraced(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, _ int) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		w := trusting(t, ca, dispatcher.Options{})
		told := make(chan struct{}, 1)
		ctx := httptrace.WithClientTrace(t.Context(),
			&httptrace.ClientTrace{GotFirstResponseByte: func() {
				told <- struct{}{}
			}})
		if a := w.Send(ctx, benchClaim(url)); a.Status != 200 {
			t.Errorf("%+v, want 200", a)
		}
		nettest.Receive(t, told, "the first byte of the answer")
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
		{"a query", "/hooks/a%2Fb;c?tenant=7&x=%20", 512,
			map[string]string{"X-B": "value", "X-A": "grüße"}},
		{"large", "/", 1 << 20, nil},
		{"large headers", "/", 8, map[string]string{"X-A": strings.Repeat("v", 4096),
			"X-B": strings.Repeat("w", 20<<10)}},
	} {
		url, requests := nettest.NewRaw(t, nettest.AnswerWith(200))
		claim := benchClaim(url + tt.path)
		claim.Subscription.Headers, claim.Subscription.Secrets = tt.headers, nil
		claim.Body = []byte(`{"x":"` + strings.Repeat("x", tt.body-8) + `"}`)
		var raw []string
		for _, transport := range []http.RoundTripper{nil, &http.Transport{DisableCompression: true}} {
			w := newWire(t, dispatcher.Options{Transport: transport})
			if a := w.Send(t.Context(), claim); a.Status != 200 {
				t.Fatalf("%s: %+v, want 200", tt.name, a)
			}
			raw = append(raw, secondsOf.ReplaceAllString(nettest.Receive(t, requests, "a request").Raw,
				"Webhook-Timestamp: 0"))
		}
		if raw[0] != raw[1] {
			t.Errorf("%s: sent %.400q, want what net/http sends: %.400q", tt.name, raw[0], raw[1])
		}
	}
}
