package dispatcher_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/internal/nginxtest"
	"github.com/outhook/outhook/store"
)

// pems are a certificate and its key as files.
func pems(t *testing.T, c *tls.Config) (cert, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := c.Certificates[0].Certificate[0]
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// clientOf is a configuration with a certificate for a client of that name, by ca, which trusts
// trusted.
func clientOf(t *testing.T, ca, trusted *nettest.Authority, name string) *tls.Config {
	t.Helper()
	c := ca.Config(t, name, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	c.RootCAs = trusted.Pool
	return c
}

// TestClientCertificateOfEachSubscription delivers to an nginx that demands certificates, of a
// private authority: each subscription of one tenant has its own, another one holds from the next
// attempt on, and one that has none, or one that nobody has signed, is refused and sees why. A
// TLS that panics harms its own subscription alone, and not its health.
func TestClientCertificateOfEachSubscription(t *testing.T) {
	ca, stranger := nettest.NewAuthority(t), nettest.NewAuthority(t)
	cert, key := pems(t, ca.Config(t, "127.0.0.1"))
	address := nginxtest.Start(t, `
		listen $ADDRESS ssl;
		ssl_certificate $DIR/cert.pem; ssl_certificate_key $DIR/key.pem;
		ssl_verify_client on; ssl_client_certificate $DIR/ca.pem;
		location / { return 200 "$ssl_client_verify $ssl_client_s_dn"; }
	`, map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.pem": ca.PEM()})

	var mu sync.Mutex
	configs := map[string]*tls.Config{
		"billing": clientOf(t, ca, ca, "billing"), "support": clientOf(t, ca, ca, "support"),
		"nobody": {RootCAs: ca.Pool}, "strange": clientOf(t, stranger, ca, "strange"),
		"distrusts": clientOf(t, ca, stranger, "distrusts"),
	}
	w := startWire(t, dispatcher.Options{
		TLS: func(sub store.Subscription) *tls.Config {
			if sub.Name == "panics" {
				panic("the certificate can't be read")
			}
			mu.Lock()
			defer mu.Unlock()
			return configs[sub.Name]
		},
	})
	names := make(map[string]string)
	for _, name := range []string{"billing", "support", "nobody", "strange", "distrusts", "panics"} {
		sub := w.subscribe(t, store.Subscription{
			Tenant: "acme", Name: name, URL: "https://" + address + "/hook",
		})
		names[sub.ID] = name
	}
	// round publishes an event and holds what becomes of its attempts to what is wanted: the start of
	// the answer's body or of the error.
	round := func(want map[string]string) {
		t.Helper()
		e := w.publishFor(t, "acme", 1)
		for range names {
			got := w.next(t)
			attempts, err := w.Attempts(t.Context(), got.Subscription.ID, e.ID)
			if err != nil || len(attempts) == 0 {
				t.Fatalf("Attempts: %v, %v", attempts, err)
			}
			name, text := names[got.Subscription.ID], attempts[0].Error
			if text == "" {
				text = string(attempts[0].Response)
			}
			if !strings.HasPrefix(text, want[name]) {
				t.Errorf("%s: got %q, want %q", name, text, want[name])
			}
		}
	}
	want := map[string]string{
		"billing": "SUCCESS CN=billing", "support": "SUCCESS CN=support",
		"nobody": "http_status: 400", "strange": "http_status: 400",
		"distrusts": "tls: the certificate is not good", "panics": "sender: its TLS failed",
	}
	round(want)
	mu.Lock()
	configs["billing"] = clientOf(t, ca, ca, "changed")
	mu.Unlock()
	want["billing"] = "SUCCESS CN=changed"
	round(want)
	for id, name := range names {
		stats, err := w.SubscriptionStats(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		// nginx answers 400, so those it refuses are alive; only a handshake that fails is down.
		if (stats.Failures > 0) != (name == "distrusts") {
			t.Errorf("%s: %d failures in a row", name, stats.Failures)
		}
	}
}
