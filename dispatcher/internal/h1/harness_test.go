package h1_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// These tests run over real sockets on loopback.

// maxBody is how much of an answer's body the tests read.
const maxBody = 64 << 10

// newTransport returns a Transport that trusts the CA, if there is one.
func newTransport(t *testing.T, ca *nettest.Authority) *h1.Transport {
	t.Helper()
	return newPatientTransport(t, ca, nettest.Patience)
}

// newPatientTransport is newTransport with an idle timeout.
func newPatientTransport(t *testing.T, ca *nettest.Authority, idle time.Duration) *h1.Transport {
	t.Helper()
	config := &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	if ca != nil {
		config.RootCAs = ca.Pool
	}
	tr := h1.New(h1.Config{
		Dial: (&net.Dialer{}).DialContext,
		DialTLS: func(ctx context.Context, _ h1.Origin, address string) (net.Conn, error) {
			c, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
			if err == nil && c.(*tls.Conn).ConnectionState().NegotiatedProtocol == "h2" {
				return nil, errors.Join(h1.ErrHTTP2, c.Close())
			}
			return c, err
		},
		MaxResponseHeader: 64 << 10,
		MaxIdle:           16,
		MaxIdlePerOrigin:  16,
		IdleTimeout:       idle,
	})
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// answer is what a request came to.
type answer struct {
	status int    // 0 without an answer
	body   string // at most maxBody
	err    error  // of RoundTrip
}

// post posts a body within the context, and reads the answer.
func post(ctx context.Context, tr http.RoundTripper, url string, body []byte) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	return answer{status: res.StatusCode, body: string(got)}
}

// ping posts a small body to the URL, with a deadline and under the test's context.
func ping(t *testing.T, tr http.RoundTripper, url string) answer {
	t.Helper()
	ctx := h1.WithDeadline(t.Context(), time.Now().Add(nettest.Patience))
	defer ctx.Cancel()
	return post(ctx, tr, url, small)
}

var (
	small = []byte(`{"text":"x"}`)
	large = bytes.Repeat([]byte("x"), 16<<20) // no socket takes it at once
)

// ok is an answer after which a connection can be used again.
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// says answers with these bytes.
func says(text string) func(net.Conn, int) {
	return func(c net.Conn, _ int) { io.WriteString(c, text) }
}
