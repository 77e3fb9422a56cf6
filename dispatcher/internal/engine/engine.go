package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Config is what an Engine is made of. All fields must be set but for those that say so.
type Config struct {
	Store    store.Store
	Sender   *send.Sender
	Listener Listener
	Logger   *slog.Logger

	Concurrency       int           // how many attempts run at once
	PerSubscription   int           // of one subscription, unless its policy says otherwise
	PerTenant         int           // of one tenant's subscriptions, but for the tenant ""
	PerHost           int           // to one host and port; if zero, no limit
	BreakerThreshold  int           // failures in a row that open a subscription's breaker
	Lease             time.Duration // of a claim: the longest timeout, and time to record it
	DrainTimeout      time.Duration // how long Run waits for attempts when its context has ended
	DisableAfter      time.Duration // Health.FailingFor that disables; if zero or less, never
	Retention         store.Retention
	OperationalEvents bool // publish events about subscriptions

	// Policy returns the policy of a subscription. It is asked once in a while, and when the
	// subscription has changed. If nil, all have Defaults, which costs nothing.
	Policy   func(store.Subscription) (*Policy, error)
	Defaults *Policy

	// StartSpan begins an attempt: it returns its context, the traceparent to send, and what to
	// call with the outcome; that may be nil.
	StartSpan func(
		ctx context.Context, c *store.Claim, a store.Attempt,
	) (context.Context, string, func(store.Outcome))

	// Update changes a subscription as a call of the host does, and calls Invalidate.
	Update func(
		ctx context.Context, id string, change func(*store.Subscription) error,
	) (store.Subscription, error)
}

// Listener is told what the Engine does, after it is stored. Its methods must not block: they are
// called by the goroutines that deliver.
type Listener interface {
	// Start begins to tell, and returns what ends it once everything has been told, or ctx has
	// ended.
	Start() (stop func(ctx context.Context))

	// AttemptStarted comes before the request, and is followed by AttemptRecorded unless the claim
	// is released or the store ignores the outcome.
	AttemptStarted(c *store.Claim, at time.Time)

	// AttemptRecorded has the outcome as the store took it, and the subscription's health before
	// and after.
	AttemptRecorded(c *store.Claim, o *store.Outcome, r *store.Result)

	// Canceled is about a delivery that the host's filter refused.
	Canceled(c *store.Claim, reason string)

	// Disabled is about a subscription that the Engine has unsubscribed.
	Disabled(store.Subscription)

	// OutageStarted and OutageEnded are about the host's own network.
	OutageStarted(since time.Time)
	OutageEnded(since, until time.Time)

	// Published has operational events.
	Published([]events.Event)

	// StoreTrouble comes with each failed call of the store. op is "claim", "finish" and so on;
	// "open" is about a subscription whose secrets are sealed with a key that the store lacks.
	StoreTrouble(op string, err error)
}

// Engine delivers. Its methods may be called by any number of goroutines, before, during and after
// Run.
type Engine struct {
	Config
	tickets  *tickets
	outage   *outage
	pruneDue chan struct{} // one slot: Prune has something to do
	counts   counts
}

// New returns an Engine that is not running.
func New(c Config) *Engine {
	return &Engine{
		Config:   c,
		tickets:  newTickets(c.Concurrency),
		outage:   newOutage(),
		pruneDue: make(chan struct{}, 1),
	}
}

// Invalidate says that a change of the subject has been stored. After it returns, no attempt of a
// claim starts that was made before the change.
func (e *Engine) Invalidate(of Subject) { e.tickets.invalidate(of) }

// PruneSoon has the maintenance remove what a change has left behind, if Run is running; otherwise
// the next Run does. It returns at once.
func (e *Engine) PruneSoon() {
	select {
	case e.pruneDue <- struct{}{}:
	default:
	}
}

// Counts are how many attempts and deliveries there were since the Engine was made.
type Counts struct {
	Attempts  uint64 // attempts made
	Delivered uint64 // deliveries delivered
	Retried   uint64 // attempts that failed and are followed by another
	Dead      uint64 // deliveries given up
}

// Counts returns the counts. Each is exact, but they are read one after another: while attempts are
// recorded, their sum may be off by those.
func (e *Engine) Counts() Counts {
	return Counts{
		Attempts:  e.counts.attempts.Load(),
		Delivered: e.counts.delivered.Load(),
		Retried:   e.counts.retried.Load(),
		Dead:      e.counts.dead.Load(),
	}
}

// CountPolled counts deliveries that were read by poll, each with its attempt.
func (e *Engine) CountPolled(n int) {
	e.counts.attempts.Add(uint64(n))
	e.counts.delivered.Add(uint64(n))
}

type counts struct{ attempts, delivered, retried, dead atomic.Uint64 }

// add counts what an attempt made of its delivery.
func (c *counts) add(s store.State) {
	switch s {
	case store.Delivered:
		c.delivered.Add(1)
	case store.Pending:
		c.retried.Add(1)
	case store.Dead:
		c.dead.Add(1)
	}
}
