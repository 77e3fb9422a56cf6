package send

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The names of the headers of a delivery, as http.Header has them.
var (
	headerID        = http.CanonicalHeaderKey(signing.HeaderID)
	headerTimestamp = http.CanonicalHeaderKey(signing.HeaderTimestamp)
	headerAttempt   = http.CanonicalHeaderKey(signing.HeaderAttempt)
	headerAiry      = http.CanonicalHeaderKey(signing.HeaderAiry)
	headerSignature = http.CanonicalHeaderKey(signing.HeaderSignature)
)

// ownHeaders is how many headers of a delivery are the sender's, apart from a trace.
const ownHeaders = 7

// reserved are the header names that belong to the sender, in canonical form. reservedPrefixes are
// families of them.
var (
	reserved = map[string]bool{
		"Accept-Encoding": true, "Connection": true, "Content-Encoding": true, "Content-Length": true,
		"Content-Type": true, "Date": true, "Expect": true, "Host": true, "Idempotency-Key": true,
		"Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
		"X-Idempotency-Key": true,
	}
	reservedPrefixes = [...]string{"Proxy-", "Sec-", "Webhook-", "X-Airy-"}
)

// IsReserved reports whether a header belongs to the sender, so that neither a subscription nor a
// hook may set it.
func IsReserved(name string) bool {
	canonical := http.CanonicalHeaderKey(name)
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(canonical, p) {
			return true
		}
	}
	return reserved[canonical]
}

// request builds the request of an attempt that starts at the time at. override is what the store
// must keep as the delivery's body if the attempt fails; nil if that is what it has.
func (s *Sender) request(
	ctx context.Context,
	c *store.Claim,
	trace string,
	at time.Time,
) (_ *http.Request, override []byte, _ error) {
	m, err := s.compose(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	t, err := s.targets.find(c.Subscription.URL)
	if err != nil {
		return nil, nil, err
	}
	req := t.post(ctx, m.body)
	req.Header = s.header(c, &m, trace, at)
	return req, m.override, s.sign(c, m.body, at, req.Header)
}

// message is what an attempt sends, apart from the sender's own headers.
type message struct {
	body     []byte
	header   http.Header // in place of the subscription's; nil: those
	override []byte      // Result.BodyOverride
}

// compose decides what an attempt sends. Its error is a hookError or errBody.
func (s *Sender) compose(ctx context.Context, c *store.Claim) (message, error) {
	b, err := parseBody(c.Body)
	if err != nil {
		return message{}, err
	}
	m := message{body: b.sent}
	if b.sent == nil {
		m.body = b.event
	}
	if s.hooks.Transform != nil {
		if err := s.transform(ctx, c, b, &m); err != nil {
			return message{}, err
		}
	}
	if b.sent == nil && (s.hooks.Transform != nil || b.unasked) {
		m.override = overrideSent(b.event, m.body)
	}
	return m, nil
}

// header returns the headers of an attempt.
func (s *Sender) header(c *store.Claim, m *message, trace string, at time.Time) http.Header {
	sub := &c.Subscription
	n := ownHeaders + len(sub.Headers)
	if trace != "" {
		n++
	}
	h := make(http.Header, n)
	values := make([]string, 0, n) // one piece of memory for all
	set := func(canonical, value string) {
		values = append(values, value)
		h[canonical] = values[len(values)-1 : len(values) : len(values)]
	}
	set("User-Agent", s.userAgent)
	if trace != "" {
		set("Traceparent", trace)
	}
	if m.header == nil {
		for name, value := range sub.Headers {
			set(http.CanonicalHeaderKey(name), value)
		}
	}
	for name, values := range m.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	// The sender's own come last, so that nothing that is stored can replace them.
	set("Content-Type", "application/json")
	set(headerID, c.EventID)
	set(headerTimestamp, strconv.FormatInt(at.Unix(), 10))
	set(headerAttempt, strconv.Itoa(c.Attempt))
	if keys := sub.Keys(at); len(keys) > 0 {
		set(headerAiry, signing.Airy(keys[0], m.body))
		set(headerSignature, signing.Standard(c.EventID, at, m.body, keys...))
	}
	return h
}

// What a claim's Body holds is known to what follows alone. It is the event's own body, which begins with a
// brace, or what an earlier attempt put into store.Outcome.Body: one of these marks, and then as
// the mark says.
//
// The mark travels inside the body because the store has one field for both.
const (
	markUnasked   = 1 // the event's body; Filter has not answered
	markUnchanged = 2 // the event's body, which earlier attempts have sent
	markChanged   = 3 // the length of what they have sent (a uvarint), that, and the event's body
)

// storedBody is what a claim's Body says.
type storedBody struct {
	event   []byte // the event's own body
	sent    []byte // what earlier attempts have sent; nil while that is not settled
	unasked bool   // Filter was asked, and did not answer
}

// parseBody reads a claim's Body. The result shares its memory.
func parseBody(b []byte) (storedBody, error) {
	if len(b) == 0 {
		return storedBody{}, errBody
	}
	switch rest := b[1:]; b[0] {
	case '{':
		return storedBody{event: b}, nil
	case markUnasked:
		return storedBody{event: rest, unasked: true}, nil
	case markUnchanged:
		return storedBody{event: rest, sent: rest}, nil
	case markChanged:
		n, size := binary.Uvarint(rest)
		if size > 0 && n <= uint64(len(rest)-size) {
			rest = rest[size:]
			return storedBody{event: rest[n:], sent: rest[:n:n]}, nil
		}
	}
	return storedBody{}, errBody
}

// overrideUnasked is the Body of a delivery that Filter has yet to be asked about.
func overrideUnasked(event []byte) []byte {
	return append([]byte{markUnasked}, event...)
}

// overrideSent is the Body of a delivery whose sent body is settled.
func overrideSent(event, sent []byte) []byte {
	if slices.Equal(event, sent) {
		return append([]byte{markUnchanged}, event...)
	}
	b := make([]byte, 1, 1+binary.MaxVarintLen64+len(sent)+len(event))
	b[0] = markChanged
	b = binary.AppendUvarint(b, uint64(len(sent)))
	return append(append(b, sent...), event...)
}

// maxTargets is how many URLs stay parsed.
const maxTargets = 256

// targets makes requests, and keeps parsed URLs for the next request.
type targets struct {
	seed maphash.Seed
	kept [maxTargets]atomic.Pointer[target] // by the hash of the URL
}

// target is a URL with a request to it that has no body.
type target struct {
	url  string
	base *http.Request
}

func newTargets() *targets { return &targets{seed: maphash.MakeSeed()} }

// find returns the target of a URL. Its error is errURL.
func (ts *targets) find(url string) (*target, error) {
	slot := &ts.kept[maphash.String(ts.seed, url)%maxTargets]
	if t := slot.Load(); t != nil && t.url == url {
		return t, nil
	}
	req, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil || req.URL.Host == "" || (req.URL.Scheme != "https" && req.URL.Scheme != "http") {
		// It was checked when the subscription was stored, but perhaps not by this version.
		return nil, errURL
	}
	t := &target{url, req}
	slot.Store(t)
	return t, nil
}

// post returns a request to post the body. Its headers are to be set.
func (t *target) post(ctx context.Context, body []byte) *http.Request {
	parts := &struct { // one piece of memory for both
		url    url.URL
		reader bytes.Reader
	}{url: *t.base.URL}
	parts.reader.Reset(body)
	req := t.base.WithContext(ctx)
	req.URL, req.Body, req.ContentLength = &parts.url, io.NopCloser(&parts.reader), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return req
}
