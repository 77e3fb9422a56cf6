package send

import (
	"bytes"
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/store"
)

// Exchange is a request that is no delivery, and its whole answer. It goes by the path of
// deliveries: the same guard, deadline and limits. But it is never made a CloudEvent: what is asked
// must look the same to every endpoint.
type Exchange struct {
	// Options, if it is not nil, makes the request an OPTIONS without a body: these headers are
	// sent in place of those that a delivery has beside the subscription's and Authenticate's.
	// Transform and Sign are for bodies, and are not asked; Authenticate is, once.
	Options http.Header

	// Sent is the body of the request, as Transform has left it. Header and Body are those of the
	// answer; of the body it is the beginning, store.MaxResponse bytes at most. All are nil if there
	// was no answer.
	Sent   []byte
	Header http.Header
	Body   []byte
}

// Exchange makes one exchange, as Send makes an attempt.
func (s *Sender) Exchange(ctx context.Context, c *store.Claim, p *Policy, x *Exchange) Result {
	return s.send(ctx, c, p, "", x)
}

// isOptions reports whether an exchange, which may be nil, is an OPTIONS.
func (x *Exchange) isOptions() bool { return x != nil && x.Options != nil }

// take keeps the answer of an exchange. It is called before anything of the body is masked.
func (x *Exchange) take(m *message, header http.Header, r *Result, kept int) {
	x.Sent, x.Header, x.Body = m.Body, header, bytes.Clone(r.Attempt.Response)
	r.Attempt.Response = r.Attempt.Response[:min(len(r.Attempt.Response), kept)]
}

// options builds the OPTIONS request of an exchange. Its errors are those of request.
func (s *Sender) options(
	ctx context.Context, c *store.Claim, m *message, x *Exchange,
) (*http.Request, error) {
	if err := checkStoredHeaders(c.Subscription.Headers); err != nil {
		return nil, err
	}
	t, err := s.targets.find(c.Subscription.URL)
	if err != nil {
		return nil, err
	}
	if err := s.authenticate(ctx, c, m); err != nil {
		return nil, err
	}
	req := t.base.WithContext(ctx)
	url := *t.base.URL
	req.Method, req.URL, req.Body, req.ContentLength = http.MethodOptions, &url, nil, 0
	req.Header = make(http.Header)
	req.Header.Set("User-Agent", s.userAgent)
	for name, value := range c.Subscription.Headers {
		req.Header.Set(name, value)
	}
	for _, more := range [...]http.Header{m.auth, x.Options} {
		for name, values := range more {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return req, nil
}

// Composed is a delivery as it would be sent.
type Composed struct {
	Header http.Header // with the signatures
	Body   []byte
}

// Compose returns what an attempt of c would send now, with a traceparent header unless trace is
// empty, for somebody who sends it on: Authenticate, which is for an endpoint, is not asked. Its
// error is fit for the owner, and the host's log has the rest. It returns by the deadline of an
// attempt if Transform does.
func (s *Sender) Compose(
	ctx context.Context, c *store.Claim, p *Policy, trace string, at time.Time,
) (out Composed, wrong string) {
	attempt := h1.WithDeadline(ctx, at.Add(p.Timeout))
	defer attempt.Cancel()
	err := checkStoredHeaders(c.Subscription.Headers)
	if err != nil {
		return out, describe(err)
	}
	m := message{policy: p, trace: trace, at: at}
	if err := s.compose(attempt, c, &m); err != nil {
		return out, describe(err)
	}
	if err := s.sign(c, &m); err != nil {
		return out, describe(err)
	}
	return Composed{s.header(c, &m), m.Body}, ""
}

// HostOf returns the host of a URL as it is stored; empty if it has none. It is in lower case,
// without a port or a dot at its end, and an IP address is in its usual form, so that all
// spellings of a host are one.
func (s *Sender) HostOf(url string) string {
	t, err := s.targets.find(url)
	if err != nil {
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(t.base.URL.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return host
}
