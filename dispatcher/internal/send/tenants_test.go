package send_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/dispatcher/internal/send"
)

// Requests of different tenants never share a connection, and those of one do, over each protocol
// that carries them.
func TestTenantsShareNoConnection(t *testing.T) {
	ca := nettest.NewAuthority(t)
	only := func(proto string) *tls.Config {
		c := ca.Config(t, "127.0.0.1")
		c.NextProtos = []string{proto}
		return c
	}
	for _, tt := range []struct {
		name   string
		serve  func(http.Handler) (endpoint string)
		proxy  bool // the server is a proxy
		traced bool
	}{
		{name: "http", serve: func(h http.Handler) string { return "http://" + nettest.ServeHTTP(t, h) }},
		{name: "https", serve: func(h http.Handler) string {
			return "https://" + nettest.ServeTLS(t, h, only("http/1.1"))
		}},
		{name: "HTTP/2", serve: func(h http.Handler) string {
			return "https://" + nettest.ServeTLS(t, h, only("h2"))
		}},
		{name: "http by a proxy", serve: func(h http.Handler) string {
			return "http://" + nettest.ServeHTTP(t, h)
		}, proxy: true},
		{name: "http, traced", serve: func(h http.Handler) string {
			return "http://" + nettest.ServeHTTP(t, h)
		}, traced: true},
		{name: "https, traced", serve: func(h http.Handler) string {
			return "https://" + nettest.ServeTLS(t, h, only("http/1.1"))
		}, traced: true},
		{name: "HTTP/2, traced", serve: func(h http.Handler) string {
			return "https://" + nettest.ServeTLS(t, h, only("h2"))
		}, traced: true},
	} {
		var got connections
		endpoint := tt.serve(&got)
		s := network(t, func(o *send.Options) {
			o.Roots = ca.Pool
			if tt.proxy {
				o.Proxy, _ = url.Parse(endpoint)
				endpoint = "http://endpoint.example"
			}
		})
		ctx := t.Context()
		if tt.traced {
			ctx = httptrace.WithClientTrace(ctx,
				&httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {}})
		}
		for range 3 {
			for _, tenant := range []string{"a", "b", ""} {
				c := newClaim(endpoint)
				c.Subscription.Tenant = tenant
				c.Subscription.Headers = map[string]string{"X-Tenant": tenant}
				if r := s.Send(ctx, c, policy, ""); r.Attempt.Status != 200 {
					t.Fatalf("%s: %+v, want 200", tt.name, r.Attempt)
				}
			}
		}
		for _, tenants := range got.tenants {
			if len(tenants) != 3 || len(slices.Compact(tenants)) != 1 {
				t.Errorf("%s: a connection had requests of the tenants %q; want three of one", tt.name, tenants)
			}
		}
		if len(got.tenants) != 3 {
			t.Errorf("%s: %d connections, want 3", tt.name, len(got.tenants))
		}
	}
}

// However many tenants there are, open connections and goroutines are bounded by Concurrency.
func TestManyTenants(t *testing.T) {
	ca := nettest.NewAuthority(t)
	const concurrency, tenants = 2, 30
	for proto, most := range map[string]int{"h2": concurrency, "http/1.1": 4 * concurrency} {
		var (
			mu   sync.Mutex
			open = make(map[net.Conn]bool)
		)
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ConnState = func(c net.Conn, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			if open[c] = true; state == http.StateClosed {
				delete(open, c)
			}
		}
		server.TLS, server.EnableHTTP2 = ca.Config(t, "127.0.0.1"), proto == "h2"
		server.StartTLS()
		t.Cleanup(server.Close)
		s := network(t, func(o *send.Options) { o.Roots, o.Concurrency = ca.Pool, concurrency })
		for n := range tenants {
			if a := attempt(t, s, server.URL, fmt.Sprint(n)); a.Status != 404 {
				t.Fatalf("%s: %+v, want 404", proto, a)
			}
		}
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(open)
		}
		for deadline := time.Now().Add(nettest.Patience); count() > most; <-time.After(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d connections are open after a request of each of %d tenants, want at most %d",
					proto, count(), tenants, most)
			}
		}
	}
}
