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

	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/store"
)

// request builds the request of an attempt, and completes its message. Its error is errURL,
// netguard.ErrBlocked, a storedHeaderError or that of compose; then nothing is to be sent.
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
	// one of both fails nothing is sent, and the next attempt composes anew.
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

// message is what an attempt sends, apart from the sender's own headers.
type message struct {
	policy *Policy
	trace  string    // the traceparent; empty if none is sent
	at     time.Time // when the attempt has started

	exchange bool // it is no delivery, and is not made a CloudEvent

	content.Content

	header   http.Header  // in place of the subscription's; nil: those
	auth     http.Header  // what Authenticate has added
	rejected http.Header  // what it had added before, and the endpoint has refused
	signed   http.Header  // what Sign has added
	mark     content.Mark // what the store must keep of the content once a request is made
}

// compose decides what an attempt sends. Its error is a hookError, or one of package content, which
// says why what the first attempt has sent decides for all later ones.
func (s *Sender) compose(ctx context.Context, c *store.Claim, m *message) error {
	r, decided, err := content.Decided(c)
	if err == nil && !decided {
		r, err = s.recipe(c, m)
	}
	if err != nil {
		return err
	}
	if m.Content, err = r.Make(c); err != nil {
		return err
	}
	if s.hooks.Transform != nil {
		body, err := s.transform(ctx, c, m)
		if err != nil {
			return err
		}
		// A change comes too late once a body was sent. One that changes nothing costs no copy.
		if !decided && !bytes.Equal(body, m.Body) {
			if body == nil {
				body = []byte{}
			}
			r.Own, m.Body = body, body
		}
	}
	if !decided {
		m.mark = r.Sent(c)
	}
	return nil
}

// recipe returns what the content of a claim's event depends on now. Its error is a hookError.
func (s *Sender) recipe(c *store.Claim, m *message) (r content.Recipe, err error) {
	r.Type, r.Fields = m.policy.ContentType, c.Subscription.Fields
	if s.hooks.CloudEvents != nil && !m.exchange {
		err = s.guard("CloudEvents", c, func() error {
			r.Event = s.hooks.CloudEvents(c.Subscription.Clone())
			return r.Event.Validate()
		})
		r.Schema = s.hooks.SchemaURIs[c.EventType]
	}
	return r, err
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
	body := m.Body
	parts := &struct { // one piece of memory for all
		url      url.URL
		body     h1.Body
		replayed bool
	}{url: *t.base.URL}
	parts.body.Reset(body)
	req := t.base.WithContext(ctx)
	req.Method = m.policy.Method
	req.URL, req.Body, req.ContentLength = &parts.url, &parts.body, int64(len(body))
	if len(body) == 0 { // of another Body of length 0, net/http takes the length for unknown
		req.Body = http.NoBody
	}
	// An attempt is two requests at most. A transport asks for the body again for each further one.
	req.GetBody = func() (io.ReadCloser, error) {
		if parts.replayed {
			return nil, errReplayed
		}
		parts.replayed = true
		if len(body) == 0 {
			return http.NoBody, nil
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	return req
}
