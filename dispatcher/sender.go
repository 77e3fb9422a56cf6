package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/events"
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

// maxOwnHeaders is how many headers of a delivery are not the subscription's, apart from a trace.
const maxOwnHeaders = 7

var (
	errPanic = errors.New("dispatcher: sending panicked")
	errURL   = errors.New("dispatcher: the URL is not one that can be posted to")
)

// sender does attempts: it signs, posts and reads the answer. It knows nothing of retries.
type sender struct {
	h1        *h1.Transport     // nil when transport carries everything
	transport http.RoundTripper // the host's, or net/http's
	targets   *targets
	timeout   time.Duration
	userAgent string
	success   func(status int) bool
	transform func(context.Context, store.Subscription, events.Event, *Request) error // may be nil
	sign      func(Message) (http.Header, error)                                      // may be nil
	log       *slog.Logger
}

func newSender(o *Options, g *netguard.Policy) *sender {
	s := &sender{
		transport: o.Transport,
		targets:   newTargets(),
		timeout:   o.Timeout,
		userAgent: o.UserAgent,
		success:   o.Success,
		transform: o.Transform,
		sign:      o.Sign,
		log:       o.Logger,
	}
	if s.transport == nil {
		s.transport, s.h1 = newTransport(o, newDialer(o, g), newTLSConfig(o))
	}
	return s
}

// send makes the attempt that c is for, with a traceparent unless trace is "". What went wrong is in the answer's attempt. A
// panic of the transport, or of a function of the host's, is kept to the attempt that it happened in.
func (s *sender) send(ctx context.Context, c *store.Claim, trace string) (a answer) {
	start := time.Now()
	l := lifetime{parent: ctx, deadline: start.Add(s.timeout)}
	ctx, cancel := h1.WithDeadline(ctx, l.deadline)
	defer cancel()
	a.attempt = store.Attempt{Number: c.Attempt, At: start}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("outhook: sending panicked", "subscription_id", c.SubscriptionID, "event_id", c.EventID, "panic", fmt.Sprint(p))
			a.attempt.Error = describe(errPanic)
		}
		a.attempt.Duration = time.Since(start)
	}()

	req, keep, err := s.request(ctx, c, trace, start)
	if err != nil {
		a.attempt.Error = describe(err)
		return a
	}
	a.keep = keep
	res, err := s.post(req)
	if err != nil {
		if over := l.err(); over != nil && !errors.Is(err, netguard.ErrBlocked) {
			err = over
		}
		a.attempt.Error = describe(err)
		return a
	}
	s.read(ctx, res, &a)
	return a
}

// post sends a request and returns the answer. What a Tracer wants to be told of a request (net/http/httptrace), net/http knows.
func (s *sender) post(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if s.h1 != nil && httptrace.ContextClientTrace(ctx) == nil {
		if res, err := s.h1.RoundTrip(req); err != h1.ErrHTTP2 {
			return res, err
		}
	}
	return s.transport.RoundTrip(req.WithContext(context.WithValue(ctx, attemptKey{}, ctx)))
}

// lifetime is how long an attempt may go on: until its deadline, or until what it is under ends.
type lifetime struct {
	parent   context.Context
	deadline time.Time
}

// attemptKey is the key under which the context of an attempt has itself, for what is made from it and would outlive it.
type attemptKey struct{}

// err says why the lifetime is over; nil while it is not.
func (l *lifetime) err() error {
	if err := l.parent.Err(); err != nil {
		return err
	}
	if time.Now().Before(l.deadline) {
		return nil
	}
	return context.DeadlineExceeded
}

// closeIdle closes the connections that are kept for a next attempt.
func (s *sender) closeIdle() {
	if s.h1 != nil {
		s.h1.CloseIdleConnections()
	}
	if t, ok := s.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// read puts a response into an answer. The status decides the attempt: what goes wrong with the body changes nothing.
func (s *sender) read(ctx context.Context, res *http.Response, a *answer) {
	if res.Body == nil { // as Options.Transport may have it
		res.Body = http.NoBody
	}
	defer res.Body.Close()
	if res.StatusCode < 100 {
		a.attempt.Error = describe(errStatus)
		return
	}
	a.attempt.Status = res.StatusCode
	if !s.success(res.StatusCode) {
		a.attempt.Error = describeStatus(res.StatusCode)
		a.retryAfter = retryAfter(res.StatusCode, res.Header, time.Now())
	}
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		return // the body is the connection itself, from which reads have no deadline
	case res.ProtoMajor >= 2:
		// While net/http still writes the request's body, it does not see the deadline once an answer has begun.
		stop := context.AfterFunc(ctx, func() { res.Body.Close() })
		defer stop()
	}
	a.attempt.Response = readResponse(res.Body)
}

// request builds the request of an attempt that starts at the time at, and says what to keep of it with the delivery.
func (s *sender) request(ctx context.Context, c *store.Claim, trace string, at time.Time) (_ *http.Request, keep []byte, _ error) {
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
	return req, m.keep, s.signed(c, m.body, at, req.Header)
}

// header returns the headers of an attempt. The sender's own come last: whatever a subscription was stored with, it
// cannot replace them.
func (s *sender) header(c *store.Claim, m *message, trace string, at time.Time) http.Header {
	sub := &c.Subscription
	n := maxOwnHeaders + len(sub.Headers)
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
