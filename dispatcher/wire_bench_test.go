package dispatcher_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// benchClaim is a delivery of 512 bytes with one key, to a URL.
func benchClaim(url string) *store.Claim {
	body := fmt.Appendf(nil,
		`{"type":"message.created","timestamp":1603661094560,"payload":{"text":%q}}`,
		strings.Repeat("x", 430))
	return &store.Claim{
		Lease: store.Lease{
			SubscriptionID: "3e639566-29fa-450d-a59f-ae3c25d7260f",
			EventID:        "018f3c1e-7a55-7000-8000-000000000001",
		},
		Subscription: &store.Subscription{
			ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", URL: url, Status: store.Subscribed,
			Headers: map[string]string{"X-Custom-Header": "value"},
			Secrets: []signing.Secret{"secret-key-for-hmac-header"},
		},
		EventType: "message.created", Body: body, Attempt: 1,
	}
}

type okTransport struct{}

func (okTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// BenchmarkSend is what an attempt costs beside the network.
func BenchmarkSend(b *testing.B) {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{Transport: okTransport{}})
	if err != nil {
		b.Fatal(err)
	}
	claim := benchClaim("https://endpoint.example/webhook?tenant=7")
	b.ReportAllocs()
	for b.Loop() {
		if a := d.Send(b.Context(), claim); a.Error != "" {
			b.Fatal(a.Error)
		}
	}
}

// BenchmarkSendLoopback is an attempt over a kept connection, beside a plain net/http client that
// signs and posts the same; both over HTTP/1.1.
func BenchmarkSendLoopback(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "ok")
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	secure := httptest.NewTLSServer(handler)
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	for name, url := range map[string]string{"http": plain.URL, "https": secure.URL} {
		claim := benchClaim(url + "/webhook")
		b.Run(name+"/plain", func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{
				MaxIdleConnsPerHost: 16, TLSClientConfig: &tls.Config{RootCAs: roots},
			}, Timeout: 15 * time.Second}
			b.ReportAllocs()
			for b.Loop() {
				if err := plainPost(b.Context(), client, claim); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/ours", func(b *testing.B) {
			d, err := dispatcher.New(memstore.New(), &dispatcher.Options{AllowPrefixes: nettest.Loopback()})
			if err != nil {
				b.Fatal(err)
			}
			d.Trust(roots)
			b.ReportAllocs()
			for b.Loop() {
				if a := d.Send(b.Context(), claim); a.Error != "" {
					b.Fatal(a.Error)
				}
			}
		})
	}
}

// plainPost is what a program does that signs and posts with net/http and nothing else.
func plainPost(ctx context.Context, client *http.Client, c *store.Claim) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Subscription.URL,
		bytes.NewReader(c.Body))
	if err != nil {
		return err
	}
	now := time.Now()
	for name, value := range c.Subscription.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "plain")
	req.Header.Set(signing.HeaderID, c.EventID)
	req.Header.Set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(signing.HeaderAttempt, "1")
	req.Header.Set(signing.HeaderAiry, signing.Airy(c.Subscription.Secrets[0], c.Body))
	req.Header.Set(signing.HeaderSignature,
		signing.Standard(c.EventID, now, c.Body, c.Subscription.Secrets...))
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
