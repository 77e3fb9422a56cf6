package send

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/transport"
	"github.com/outhook/outhook/store"
)

// Options are what a Sender is made of. All must be set but for those that say so.
type Options struct {
	Transport    http.RoundTripper // the host's; if nil, connections of this package
	Proxy        *url.URL          // for connections of this package; if nil, none
	DisableHTTP2 bool              // connections of this package speak HTTP/1.1 alone
	Guard        *netguard.Policy  // where connections may go; a proxy is not asked about
	// how many attempts run at once, by which idle connections are bounded
	Concurrency int
	Timeout     time.Duration // of an attempt by the usual policy
	UserAgent   string
	Obeys       bool // what endpoints ask for, see HeaderControl
	Hooks       Hooks
	Logger      *slog.Logger // panics and errors of the host's functions, as Error
	Detail      Detail
	MaxResponse int // bytes that are kept of an answer's body, store.MaxResponse at most

	NoAirySignature, NoStandardSignature bool // what a delivery with a key is not to carry

	// Origin is the webhook-request-origin that each delivery has; if empty, none has it.
	Origin string

	Resolver *net.Resolver  // looks up names; if nil, the system's
	Roots    *x509.CertPool // whom certificates are trusted by; if nil, the system's
}

// Sender makes attempts. It may be used by any number of goroutines.
type Sender struct {
	host      http.RoundTripper    // the host's transport; nil if there is none
	own       *transport.Transport // this package's; nil if there is the host's
	targets   *targets
	signers   *signers
	userAgent string
	obeys     bool // what endpoints ask for
	hooks     Hooks
	log       *slog.Logger
	detail    Detail
	kept      int // bytes of an answer's body

	noAiry, noStandard bool // signatures that are not sent
	origin             string
}

// New returns a Sender. It starts no goroutine; CloseIdleConnections is all that it needs at its
// end.
func New(o Options) *Sender {
	s := &Sender{
		host:      o.Transport,
		targets:   newTargets(o.Guard),
		signers:   newSigners(),
		userAgent: o.UserAgent,
		obeys:     o.Obeys,
		hooks:     o.Hooks,
		log:       o.Logger,
		detail:    o.Detail,
		kept:      o.MaxResponse,

		noAiry: o.NoAirySignature, noStandard: o.NoStandardSignature, origin: o.Origin,
	}
	if s.host == nil {
		s.own = transport.New(&transport.Config{
			Proxy:             o.Proxy,
			DisableHTTP2:      o.DisableHTTP2,
			Guard:             o.Guard,
			Concurrency:       o.Concurrency,
			Timeout:           o.Timeout,
			MaxResponseHeader: maxResponseHeader,
			MaxResponseBody:   maxResponseBody,
			Resolver:          o.Resolver,
			Roots:             o.Roots,
			Logger:            o.Logger,
		})
	}
	return s
}

// Result is what an attempt came to.
type Result struct {
	Attempt    store.Attempt // Error says what went wrong; empty after a success
	Kind       Kind          // what it says of the endpoint
	Final      bool          // KindRefused: trying again would change nothing
	RetryAfter time.Duration // KindThrottled: how long to wait, a day at most; zero if it does not say
	Asked      Control       // what the endpoint asks for, also after a success
	Mark       content.Mark  // to keep of what was sent, with every outcome

	// Host is the endpoint's, with its port if the URL has one; empty if no request was made.
	// Unreachable says that it failed before a connection stood: its name did not resolve, or
	// nobody answered the dial.
	Host        string
	Unreachable bool
}

// Send makes the attempt that c is for, by a policy, with a traceparent header unless trace is
// empty. It returns by the deadline, or soon after ctx has ended. A panic of the transport, or of a
// function of the host, ends as an error of the attempt.
func (s *Sender) Send(ctx context.Context, c *store.Claim, p *Policy, trace string) Result {
	return s.send(ctx, c, p, trace, nil)
}

// send makes an attempt, or if x is not nil an exchange.
func (s *Sender) send(
	ctx context.Context, c *store.Claim, p *Policy, trace string, x *Exchange,
) (r Result) {
	start := time.Now()
	deadline := start.Add(p.Timeout)
	attempt := h1.WithDeadlineFrom(ctx, start, deadline)
	defer attempt.Cancel()
	r.Attempt = store.Attempt{Number: c.Attempt, At: start}
	r.Mark = content.Unsent(c) // also after a panic before there is a request
	// Around everything, hooks included: a worker of the engine must survive what the host gives
	// it.
	defer func() {
		if p := recover(); p != nil {
			s.logError(c, "outhook: sending panicked", slog.String("panic", fmt.Sprint(p)))
			r.fail(errPanic)
		}
		r.Attempt.Duration = time.Since(start)
	}()

	m := message{policy: p, trace: trace, at: start, exchange: x != nil}
	req, err := s.build(attempt, c, &m, x)
	if err != nil {
		r.fail(err)
		return r
	}
	// Before the request: whatever happens from here on, the endpoint may get it.
	r.Mark = m.mark
	r.Host = strings.ToLower(req.URL.Host) // as package engine counts hosts that can't be reached
	var prog progress
	var answer http.Header
	res, err := s.roundTrip(req, c, &prog)
	if err == nil && !x.isOptions() && s.mayRenew(res, p) {
		req, res, err = s.renew(attempt, c, &m, req, res, &prog)
	}
	if err != nil {
		r.Unreachable = prog.unreachable(err)
		r.fail(cause(err, ctx, deadline))
	} else {
		answer = res.Header
		if x == nil {
			s.read(attempt, res, p, &r, s.kept)
			s.obey(answer, &r)
		} else {
			s.read(attempt, res, p, &r, store.MaxResponse)
			x.take(&m, answer, &r, s.kept)
		}
	}
	wanted := s.detail.wants(&r.Attempt)
	if !wanted && len(r.Attempt.Response) < minSecret {
		return r
	}
	hidden := hiddenHeaders(c, &m)
	secrets := secretsIn(req, m.rejected, hidden)
	r.Attempt.Response = maskBody(r.Attempt.Response, secrets)
	if wanted {
		r.Attempt.Detail = detailOf(h1.PhasesOf(attempt), hidden, secrets, req, answer)
	}
	return r
}

// build builds the request of an attempt, or if x says so an OPTIONS, and completes its message.
func (s *Sender) build(
	ctx context.Context, c *store.Claim, m *message, x *Exchange,
) (*http.Request, error) {
	if x.isOptions() {
		return s.options(ctx, c, m, x)
	}
	return s.request(ctx, c, m)
}

// fail makes err the reason why there is no answer. The kind stays KindDown, which is that of an
// endpoint which does not answer, unless the fault is on the sender's side.
func (r *Result) fail(err error) {
	r.Attempt.Error = describe(err)
	if Class(r.Attempt.Error) == ClassSender {
		r.Kind, r.Host = KindOurs, "" // it did not get to the network, or it is not the network's doing
	}
}

// cause returns the reason why a request failed with err. What a transport makes of the end of a
// context differs: that a connection was closed, for one. So the end itself is the reason, by the
// clock, as the context's timer may be late.
func cause(err error, ctx context.Context, deadline time.Time) error {
	var hook *hookError
	switch {
	case errors.Is(err, netguard.ErrBlocked):
		return err // the address stays blocked, and the owner must learn of it
	case errors.As(err, &hook):
		return err // it has used up the time, and the endpoint has nothing to do with that
	case ctx.Err() != nil:
		return ctx.Err()
	case !time.Now().Before(deadline):
		return context.DeadlineExceeded
	}
	return err
}

// roundTrip sends the request of a claim and returns the answer. p is told how far a host's
// transport gets; the errors of this package's own say so themselves.
func (s *Sender) roundTrip(req *http.Request, c *store.Claim, p *progress) (*http.Response, error) {
	if s.host != nil {
		watched := req.WithContext(p.watch(req.Context()))
		watched.Body = h1.ForHTTP(req.Body)
		return s.host.RoundTrip(watched)
	}
	// The tenant is part of the origin: requests of two tenants never share a connection, by which
	// the endpoint could tell that both have the same sender.
	o := h1.Origin{Scheme: req.URL.Scheme, Host: req.URL.Host, Tenant: c.Subscription.Tenant}
	if s.hooks.TLS != nil && o.Scheme == "https" {
		var err error
		if o.TLS, err = s.tlsConfig(c); err != nil {
			return nil, err
		}
	}
	return s.own.Send(o, req)
}

// CloseIdleConnections closes the idle connections of this package; those of a host's transport are
// the host's.
func (s *Sender) CloseIdleConnections() {
	if s.own != nil {
		s.own.CloseIdleConnections()
	}
}
