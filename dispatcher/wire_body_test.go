package dispatcher_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TestEmptyBodyHasItsLength has Transform leave nothing of a body: the request says so, where many
// servers would refuse one in chunks.
func TestEmptyBodyHasItsLength(t *testing.T) {
	type sent struct {
		length   int64
		encoding []string
	}
	got := make(chan sent, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- sent{r.ContentLength, r.TransferEncoding}
	}))
	t.Cleanup(server.Close)
	w := startWire(t, dispatcher.Options{Transform: func(
		_ context.Context, _ store.Subscription, _ events.Event, r *dispatcher.Request,
	) error {
		r.Body = []byte{}
		return nil
	}})
	w.subscribe(t, store.Subscription{URL: server.URL})
	w.publish(t, 1)
	if s := <-got; s.length != 0 || len(s.encoding) > 0 {
		t.Errorf("got the length %d and the encoding %q, want 0 and none", s.length, s.encoding)
	}
}

// TestProxyRefusesAHandshake has the proxy refuse a request without a body: the error is the
// proxy's.
func TestProxyRefusesAHandshake(t *testing.T) {
	proxy, asked := connectProxy(t, "")
	w := newWire(t, dispatcher.Options{
		Proxy:  parse(t, "http://"+proxy),
		Verify: dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: "host.example"},
	})
	sub := w.subscribe(t, store.Subscription{URL: "https://endpoint.example/hook"})
	a, err := w.Verify(t.Context(), sub.ID)
	if err != nil || !strings.Contains(a.Error, "proxy") {
		t.Errorf("got %+v, %v, want an attempt that names the proxy", a, err)
	}
	if got := <-asked; got != "CONNECT endpoint.example:443" {
		t.Errorf("the proxy was asked for %q", got)
	}
}
