package send_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
)

// An attempt that failed before a connection stood may be the fault of the sender's own network.
func TestUnreachable(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}
	hang := func(steps func(*httptrace.ClientTrace)) func(*http.Request) error {
		return func(r *http.Request) error {
			if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
				steps(trace)
			}
			<-r.Context().Done()
			return r.Context().Err()
		}
	}
	for _, tt := range []struct {
		name string
		err  error
		hang func(*http.Request) error
		want bool
	}{
		{name: "nobody answers the dial", err: dial, want: true},
		{name: "a wrapped dial", err: fmt.Errorf("tried: %w", dial), want: true},
		{name: "the name does not resolve", err: &net.DNSError{Err: "no such host", IsNotFound: true},
			want: true},
		{name: "the resolver does not answer",
			err: &net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}, want: true},
		{name: "a proxy that cannot be dialed", err: &net.OpError{Op: "proxyconnect", Err: dial},
			want: true},
		{name: "a proxy that refuses", err: &net.OpError{Op: "proxyconnect", Err: errors.New("403")}},
		{name: "a blocked address", err: &net.OpError{Op: "dial", Err: netguard.ErrBlocked}},
		{name: "a reset", err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}},
		{name: "a handshake", err: &net.OpError{Op: "remote error", Err: errors.New("bad certificate")}},
		{name: "the deadline of an unknown transport", hang: hang(func(*httptrace.ClientTrace) {})},
		{name: "the deadline in a dial", hang: hang(func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.1:443")
		}), want: true},
		{name: "the deadline in a look-up", hang: hang(func(c *httptrace.ClientTrace) {
			c.DNSStart(httptrace.DNSStartInfo{})
		}), want: true},
		{name: "the deadline in a handshake", hang: hang(func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.1:443")
			c.ConnectDone("tcp", "192.0.2.1:443", nil)
		})},
		{name: "the deadline on a kept connection", hang: hang(func(c *httptrace.ClientTrace) {
			c.GotConn(httptrace.GotConnInfo{Reused: true})
		})},
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := transportFunc(func(r *http.Request) (*http.Response, error) {
				if tt.hang != nil {
					return nil, tt.hang(r)
				}
				return nil, tt.err
			})
			s := newSender(t, transport, send.Hooks{})
			r := s.Send(context.Background(), newClaim("https://Endpoint.example:8443/hook"), policy, "")
			if r.Unreachable != tt.want || r.Host != "endpoint.example:8443" {
				t.Errorf("%s: unreachable %v, host %q; want %v, endpoint.example:8443", tt.name, r.Unreachable,
					r.Host, tt.want)
			}
		})
	}
}

// The connections of this package say the same, whichever way the request takes.
func TestUnreachableOverSockets(t *testing.T) {
	refusing := nettest.Refusing(t)
	closing := nettest.Listen(t, func(net.Conn) {})
	for _, tt := range []struct {
		name, url string
		want      bool
	}{
		{"refused", "http://" + refusing, true},
		{"refused, with TLS", "https://" + refusing, true},
		{"closed before an answer", "http://" + closing, false},
		{"closed in the handshake", "https://" + closing, false},
		{"a blocked address", "http://192.0.2.1", false},
	} {
		for _, path := range []string{"h1", "net/http"} {
			ctx := context.Background()
			if path == "net/http" {
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{})
			}
			r := newSender(t, nil, send.Hooks{}).Send(ctx, newClaim(tt.url+"/"), policy, "")
			if r.Attempt.Error == "" || r.Unreachable != tt.want {
				t.Errorf("%s, over %s: %q, unreachable %v; want %v", tt.name, path, r.Attempt.Error,
					r.Unreachable, tt.want)
			}
		}
	}
}
