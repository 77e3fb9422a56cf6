package send

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/store"
)

// Options are what a Sender is made of. All must be set but for those that say so.
type Options struct {
	Transport   http.RoundTripper // the host's; if nil, connections of this package
	Proxy       *url.URL          // for connections of this package; if nil, none
	Guard       *netguard.Policy  // where connections may go; a proxy is not asked about
	Concurrency int               // how many attempts run at once, by which idle connections are bounded
	Timeout     time.Duration     // of an attempt, from its start to the last byte of the answer
	UserAgent   string
	Success     func(status int) bool
	Final       func(status int) bool // which refusals are final; if nil, none
	Hooks       Hooks
	Logger      *slog.Logger

	Resolver *net.Resolver  // looks up names; if nil, the system's
	Roots    *x509.CertPool // whom certificates are trusted by; if nil, the system's
}

// Sender makes attempts. It may be used by any number of goroutines.
type Sender struct {
	own       bool              // transport is this package's
	h1        *h1.Transport     // nil if transport carries everything
	transport http.RoundTripper // the host's, or net/http's
	targets   *targets
	timeout   time.Duration
	userAgent string
	success   func(status int) bool
	final     func(status int) bool
	hooks     Hooks
	log       *slog.Logger
}

// New returns a Sender.
func New(o Options) *Sender {
	s := &Sender{
		transport: o.Transport,
		targets:   newTargets(),
		timeout:   o.Timeout,
		userAgent: o.UserAgent,
		success:   o.Success,
		final:     o.Final,
		hooks:     o.Hooks,
		log:       o.Logger,
	}
	if s.transport == nil {
		s.own = true
		s.transport, s.h1 = newTransport(&o)
	}
	return s
}

// Result is what an attempt came to.
type Result struct {
	Attempt      store.Attempt // Error says what went wrong; empty after a success
	Kind         Kind          // what it says of the endpoint
	Final        bool          // KindRefused: trying again would change nothing
	RetryAfter   time.Duration // KindThrottled: how long to wait, a day at most; zero if it does not say
	BodyOverride []byte        // store.Outcome.Body of an attempt that failed

	// Host is the endpoint's, with its port if the URL has one; empty if no request was made.
	// Unreachable says that it failed before a connection stood: its name did not resolve, or nobody
	// answered the dial.
	Host        string
	Unreachable bool
}

// Send makes the attempt that c is for, with a traceparent header unless trace is empty. It returns
// by the deadline, or soon after ctx has ended. A panic of the transport, or of a function of the
// host, ends as an error of the attempt.
func (s *Sender) Send(ctx context.Context, c *store.Claim, trace string) (r Result) {
	start := time.Now()
	deadline := start.Add(s.timeout)
	attempt := h1.WithDeadline(ctx, deadline)
	defer attempt.Cancel()
	r.Attempt = store.Attempt{Number: c.Attempt, At: start}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("outhook: sending panicked",
				"subscription_id", c.SubscriptionID, "event_id", c.EventID, "panic", fmt.Sprint(p))
			r.Attempt.Error, r.Kind = describe(errPanic), KindOurs
		}
		r.Attempt.Duration = time.Since(start)
	}()

	req, override, err := s.request(attempt, c, trace, start)
	if err != nil {
		r.Attempt.Error = describe(err)
		if Class(r.Attempt.Error) == ClassSender {
			r.Kind = KindOurs
		}
		return r
	}
	r.BodyOverride, r.Host = override, strings.ToLower(req.URL.Host)
	var p progress
	res, err := s.roundTrip(req, &p)
	if err != nil {
		r.Unreachable = p.unreachable(err)
		r.Attempt.Error = describe(cause(err, ctx, deadline))
		return r
	}
	s.read(attempt, res, &r)
	return r
}

// cause returns the reason why a request failed with err. What a transport makes of the end of a
// context differs: that a connection was closed, for one. So the end itself is the reason, by the
// clock, as the context's timer may be late.
func cause(err error, ctx context.Context, deadline time.Time) error {
	switch {
	case errors.Is(err, netguard.ErrBlocked):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case !time.Now().Before(deadline):
		return context.DeadlineExceeded
	}
	return err
}

// roundTrip sends a request and returns the answer. Only net/http tells what a Tracer may want to
// hear of a request (net/http/httptrace).
func (s *Sender) roundTrip(req *http.Request, p *progress) (*http.Response, error) {
	ctx := req.Context()
	if s.h1 != nil && httptrace.ContextClientTrace(ctx) == nil {
		if res, err := s.h1.RoundTrip(req); err != h1.ErrHTTP2 {
			return res, err
		}
	}
	return s.transport.RoundTrip(req.WithContext(p.watch(context.WithValue(ctx, attemptKey{}, ctx))))
}

// CloseIdleConnections closes the idle connections of this package; those of a host's transport are
// the host's.
func (s *Sender) CloseIdleConnections() {
	if s.h1 != nil {
		s.h1.CloseIdleConnections()
	}
	if t, ok := s.transport.(*http.Transport); ok && s.own {
		t.CloseIdleConnections()
	}
}
