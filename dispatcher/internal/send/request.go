package send

import (
	"bytes"
	"context"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
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
// families of them. Some are the delivery's own, some would change how the request is framed
// (Content-Length, Connection, Transfer-Encoding), and Idempotency-Key and X-Idempotency-Key would
// let net/http send a POST again on its own.
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

// request builds the request of an attempt that starts at the time at. decided is what the store
// must keep of the delivery's body if the attempt fails. Its error is errBody, errURL or a
// hookError; then nothing is to be sent.
func (s *Sender) request(
	ctx context.Context,
	c *store.Claim,
	trace string,
	at time.Time,
) (_ *http.Request, decided Body, _ error) {
	m, err := s.compose(ctx, c)
	if err != nil {
		return nil, Body{}, err
	}
	t, err := s.targets.find(c.Subscription.URL)
	if err != nil {
		return nil, Body{}, err
	}
	req := t.post(ctx, m.body)
	req.Header = s.header(c, &m, trace, at)
	// Last, as it signs the body that is sent. If it fails nothing is sent, and yet the body is
	// decided: Transform was asked, and is not to be asked for another one.
	return req, m.decided, s.sign(c, m.body, at, req.Header)
}

// Body is what an attempt has decided of its delivery's body: see store.Outcome.
type Body struct {
	State    store.BodyState
	Override []byte
}

// isDecided reports whether an earlier attempt has decided what is sent.
func isDecided(c *store.Claim) bool {
	return c.BodyState == store.BodyOverridden || c.BodyState == store.BodyUnchanged
}

// decide returns what is decided by sending a body for the event's. One that is the same costs the
// store a mark and not a copy.
func decide(event, sent []byte) Body {
	if bytes.Equal(event, sent) {
		return Body{State: store.BodyUnchanged}
	}
	return Body{store.BodyOverridden, bytes.Clone(sent)} // the host may keep it, and change it
}

// message is what an attempt sends, apart from the sender's own headers.
type message struct {
	body    []byte
	header  http.Header // in place of the subscription's; nil: those
	decided Body        // Result.Body
}

// compose decides what an attempt sends. Its error is a hookError or errBody.
//
// Every attempt of a delivery must send the same bytes, or a receiver that goes by webhook-id would
// see one event with two contents. So what the first attempt sends is kept with the delivery, and
// decides for all later ones, even if the host gets another Transform in between, or none.
func (s *Sender) compose(ctx context.Context, c *store.Claim) (message, error) {
	m := message{body: c.Body}
	if c.BodyState == store.BodyOverridden {
		m.body = c.BodyOverride
	}
	if s.hooks.Transform != nil {
		if err := s.transform(ctx, c, &m); err != nil {
			return message{}, err
		}
	}
	// Without a Transform, the first attempt need not write what goes without saying. After a
	// Filter that failed it must, because the mark of that is still with the delivery.
	if !isDecided(c) && (s.hooks.Transform != nil || c.BodyState == store.BodyUnfiltered) {
		m.decided = decide(c.Body, m.body)
	}
	return m, nil
}

// header returns the headers of an attempt, without those of the Sign hook. The time is that of the
// attempt and not of the event: receivers refuse signatures that are minutes old, and a retry may
// be days later.
func (s *Sender) header(c *store.Claim, m *message, trace string, at time.Time) http.Header {
	sub := c.Subscription
	n := ownHeaders + len(sub.Headers)
	if trace != "" {
		n++
	}
	h := make(http.Header, n)
	// One piece of memory has the values of all. Each is a slice without room to grow, so that
	// appending to one header cannot overwrite the next.
	values := make([]string, 0, n)
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
		if !s.noAiry {
			set(headerAiry, signing.Airy(keys[0], m.body))
		}
		if !s.noStandard {
			set(headerSignature, signing.Standard(c.EventID, at, m.body, keys...))
		}
	}
	return h
}

// maxTargets is how many URLs stay parsed.
const maxTargets = 256

// targets makes requests, and keeps parsed URLs for the next request: parsing one costs more than
// hashing it. Of two URLs with one place in the table, the later stays; it is read and written
// without a lock. It may be used by any number of goroutines.
type targets struct {
	seed maphash.Seed
	kept [maxTargets]atomic.Pointer[target] // by the hash of the URL
}

// target is a URL with a request to it that has no body.
type target struct {
	url  string
	base *http.Request
}

// newTargets returns an empty table. Its seed is random, so that nobody can choose URLs that have
// the same place in it.
func newTargets() *targets { return &targets{seed: maphash.MakeSeed()} }

// find returns the target of a URL, which is shared and must not be changed. Its error is errURL.
func (ts *targets) find(url string) (*target, error) {
	slot := &ts.kept[maphash.String(ts.seed, url)%maxTargets]
	if t := slot.Load(); t != nil && t.url == url { // another may have this place
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

// post returns a request to post the body. Its headers are to be set. The body is not copied, and
// must not be changed while the request is in use.
func (t *target) post(ctx context.Context, body []byte) *http.Request {
	parts := &struct { // one piece of memory for all
		url      url.URL
		reader   bytes.Reader
		replayed bool
	}{url: *t.base.URL}
	parts.reader.Reset(body)
	req := t.base.WithContext(ctx)
	req.URL, req.Body, req.ContentLength = &parts.url, io.NopCloser(&parts.reader), int64(len(body))
	// An attempt is two requests at most. A transport asks for the body again for each further one.
	req.GetBody = func() (io.ReadCloser, error) {
		if parts.replayed {
			return nil, errReplayed
		}
		parts.replayed = true
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	return req
}
