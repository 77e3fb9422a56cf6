package send

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/store"
)

// request builds the request of an attempt, and completes its message. Its error is errBody,
// errURL, netguard.ErrBlocked, a storedHeaderError or a hookError; then nothing is to be sent.
//
// URL and headers were checked when they were stored, but perhaps by an older version, with other
// options, or not at all: the store is the host's, and others may write it.
func (s *Sender) request(ctx context.Context, c *store.Claim, m *message) (*http.Request, error) {
	t, err := s.targets.find(c.Subscription.URL)
	// Before a hook is called, which would be blamed for what is stored.
	if err != nil || t.checked.Load() != c.Subscription {
		if err := checkStoredHeaders(c.Subscription.Headers); err != nil {
			return nil, err
		}
		if err == nil {
			t.checked.Store(c.Subscription)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := s.compose(ctx, c, m); err != nil {
		return nil, err
	}
	// Before the signature, which is to be as late as it can: a token may have to be fetched. If
	// one of both fails nothing is sent, and yet the body is decided: Transform was asked, and is
	// not to be asked for another one.
	if err := s.authenticate(ctx, c, m); err != nil {
		return nil, err
	}
	if err := s.sign(c, m); err != nil {
		return nil, err
	}
	req := t.request(ctx, m)
	req.Header = s.header(c, m)
	return req, nil
}

// Body is what an attempt has decided of its delivery's body: see store.Outcome.
type Body struct {
	State    store.BodyState
	Override []byte
}

// isDecided reports whether an earlier attempt has decided what is sent.
func isDecided(c *store.Claim) bool {
	return c.BodyState.HasOverride() || c.BodyState == store.BodyUnchanged
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
	policy *Policy
	trace  string    // the traceparent; empty if none is sent
	at     time.Time // when the attempt has started

	exchange bool // it is no delivery, and is not made a CloudEvent

	body     []byte
	header   http.Header // in place of the subscription's; nil: those
	auth     http.Header // what Authenticate has added
	rejected http.Header // what it had added before, and the endpoint has refused
	signed   http.Header // what Sign has added
	decided  Body        // what the store must keep of the body if the attempt fails

	contentType string
	attributes  http.Header // of a CloudEvent in binary mode; nil otherwise
}

// compose decides what an attempt sends. Its error is a hookError, errBody or errFields.
//
// Every attempt of a delivery must send the same bytes, or a receiver that goes by webhook-id would
// see one event with two contents. So what the first attempt sends is kept with the delivery, and
// decides for all later ones, even if the host gets another Transform in between, or none.
func (s *Sender) compose(ctx context.Context, c *store.Claim, m *message) error {
	m.body, m.contentType = c.Body, m.policy.ContentType
	if c.BodyState == store.BodyOverridden {
		m.body = c.BodyOverride
	}
	fields := fieldsOf(c)
	reduced, err := reduce(c.Body, fields)
	if err != nil {
		return err
	}
	if len(fields) > 0 {
		m.body = reduced
	}
	if s.hooks.CloudEvents != nil && !m.exchange {
		if err := s.cloudEvent(c, m); err != nil {
			return err
		}
	}
	if s.hooks.Transform != nil {
		if err := s.transform(ctx, c, m); err != nil {
			return err
		}
	}
	// Without a hook that changes bodies, the first attempt need not write what goes without
	// saying. After a Filter that failed it must, because the mark of that is still with the
	// delivery.
	changed := s.hooks.Transform != nil || s.hooks.CloudEvents != nil
	switch {
	case isDecided(c):
	case len(fields) > 0 && bytes.Equal(m.body, reduced):
		m.decided = decideFields(fields) // a few names, in place of a copy
	case changed || c.BodyState == store.BodyUnfiltered:
		m.decided = decide(c.Body, m.body)
	}
	return nil
}

// maxTargets is how many URLs stay parsed.
const maxTargets = 256

// targets makes requests, and keeps parsed URLs for the next request: parsing one costs more than
// hashing it. Of two URLs with one place in the table, the later stays; it is read and written
// without a lock. It may be used by any number of goroutines.
type targets struct {
	guard *netguard.Policy
	seed  maphash.Seed
	kept  [maxTargets]atomic.Pointer[target] // by the hash of the URL
}

// target is a URL with a request to it that has no body.
type target struct {
	url  string
	base *http.Request

	// The subscription whose headers were checked last. Claims share subscriptions, which nobody
	// changes, and nearly all attempts to a URL are of one: its headers are checked once.
	checked atomic.Pointer[store.Subscription]
}

// newTargets returns an empty table. Its seed is random, so that nobody can choose URLs that have
// the same place in it.
func newTargets(guard *netguard.Policy) *targets {
	return &targets{guard: guard, seed: maphash.MakeSeed()}
}

// find returns the target of a URL, which is shared and must not be changed. Its error is errURL,
// or netguard.ErrBlocked. The dialer asks the guard again, about what names resolve to; this check
// also holds for a host's transport and for a proxy, which dial for themselves.
func (ts *targets) find(url string) (*target, error) {
	slot := &ts.kept[maphash.String(ts.seed, url)%maxTargets]
	if t := slot.Load(); t != nil && t.url == url { // another may have this place
		return t, nil
	}
	checked, err := ts.guard.CheckURL(url, netguard.URLRules{})
	if errors.Is(err, netguard.ErrBlocked) {
		return nil, err
	}
	var req *http.Request
	if err == nil {
		req, err = http.NewRequest(http.MethodPost, checked, nil)
	}
	if err != nil {
		return nil, errURL
	}
	t := &target{url: url, base: req}
	slot.Store(t)
	return t, nil
}

// request returns a request with the body of a message. Its headers are to be set. The body is not
// copied, and must not be changed while the request is in use.
func (t *target) request(ctx context.Context, m *message) *http.Request {
	body := m.body
	parts := &struct { // one piece of memory for all
		url      url.URL
		body     h1.Body
		replayed bool
	}{url: *t.base.URL}
	parts.body.Reset(body)
	req := t.base.WithContext(ctx)
	req.Method = m.policy.Method
	req.URL, req.Body, req.ContentLength = &parts.url, &parts.body, int64(len(body))
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
