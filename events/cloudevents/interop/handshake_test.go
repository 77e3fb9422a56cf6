package interop_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/client"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// sdkReceiver runs a receiver of the SDK, which answers the handshake by itself. It allows the
// origins and 120 deliveries a minute, at once or by the callback.
func sdkReceiver(t *testing.T, callback bool, origins ...string) (url string, got <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := cehttp.New(cehttp.WithListener(listener),
		cehttp.WithDefaultOptionsHandlerFunc([]string{http.MethodPost}, 120, origins, callback))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(p)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(chan string, 16)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.StartReceiver(ctx, func(e event.Event) { ids <- e.ID() }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the receiver ended with %v", err)
		}
	})
	return "http://" + listener.Addr().String(), ids
}

// TestSDKAgrees has receivers of the SDK asked whether they want deliveries: they get them after
// they have agreed, in their answer or by the callback, at the rate that they allow, and never if
// they do not know the origin.
func TestSDKAgrees(t *testing.T) {
	const origin = "events.shop.example"
	var d *dispatcher.Dispatcher
	callback := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpapi.Granted(d).ServeHTTP(w, r)
	}))
	defer callback.Close()
	// The SDK calls back by http.DefaultClient.
	roots := x509.NewCertPool()
	roots.AddCert(callback.Certificate())
	transport := http.DefaultTransport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	defer transport.CloseIdleConnections()

	for _, tt := range []struct {
		name     string
		callback bool
		origin   string
		agrees   bool
	}{
		{"in the answer", false, origin, true},
		{"to any origin", false, "*", true},
		{"by the callback", true, origin, true},
		{"another origin", false, "events.other.example", false},
		{"another origin, by the callback", true, "events.other.example", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, got := sdkReceiver(t, tt.callback, tt.origin)
			v := dispatcher.Verification{Method: dispatcher.VerifyHandshake, Origin: origin, Rate: 600}
			if tt.callback {
				v.Callback, v.CallbackKey = callback.URL, signing.NewSecret()
			}
			verified := make(chan struct{}, 16)
			var err error
			d, err = dispatcher.New(memstore.New(), &dispatcher.Options{
				AllowLoopback: true, Logger: slog.New(slog.DiscardHandler), Verify: v,
				Success: dispatcher.Any2xx, // it answers 202
				CloudEvents: func(store.Subscription) cloudevents.Format {
					return cloudevents.Format{Mode: cloudevents.Binary, Source: "https://shop.example/"}
				},
				Observer: &dispatcher.Observer{OnAction: func(a dispatcher.Action) {
					if a.Kind == dispatcher.ActionVerify {
						verified <- struct{}{}
					}
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sub, err := d.Subscribe(t.Context(), store.Subscription{URL: address})
			if err != nil {
				t.Fatal(err)
			}
			e, err := events.New("order.paid", 1)
			if err == nil {
				err = d.Publish(t.Context(), e)
			}
			if err != nil {
				t.Fatal(err)
			}
			a, err := d.Verify(t.Context(), sub.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.agrees {
				if sub, err = d.Subscription(t.Context(), sub.ID); err != nil ||
					sub.Status != store.Unverified || a.Error == "" {
					t.Errorf("it is %s after %+v, %v; want Unverified", sub.Status, a, err)
				}
				return
			}
			select {
			case <-verified:
			case <-time.After(time.Minute):
				t.Fatalf("it has not agreed within a minute; the request: %+v", a)
			}
			if sub, err = d.Subscription(t.Context(), sub.ID); err != nil ||
				sub.Status != store.Subscribed || sub.AllowedRate != 2 || sub.VerifiedAt.IsZero() {
				t.Errorf("it is %+v, %v; want Subscribed with the rate 2", sub, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- d.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			select {
			case id := <-got:
				if id != e.ID {
					t.Errorf("the SDK got %s, want %s", id, e.ID)
				}
			case <-time.After(time.Minute):
				t.Error("nothing was delivered within a minute")
			}
		})
	}
}
