package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/outhook/outhook/dispatcher/internal/backoff"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/pull"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/dispatcher/internal/slots"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/store"
)

// Dispatcher takes events and delivers them to the subscriptions that want them. All its methods
// may be called from any number of goroutines, before, during and after Run.
type Dispatcher struct {
	store   store.Store
	o       Options
	rules   check.Rules
	sender  *send.Sender
	engine  *engine.Engine
	observe *notifier
	pings   *slots.Slots // of each tenant
	pinged  atomic.Uint64
	quotas  *quota.Keeper
	running atomic.Bool
	verify  *verify.Service
	reader  *pull.Reader
	polls   *pull.Open
}

// ErrRunning is returned by Run if an earlier call of it has not returned.
var ErrRunning = errors.New("dispatcher: Run is running already; a Dispatcher runs once at a time")

// New returns a Dispatcher that keeps everything in s. A nil o means the defaults. It delivers
// nothing until Run is called. The error says which options are wrong.
func New(s store.Store, o *Options) (*Dispatcher, error) {
	if s == nil {
		return nil, errors.New(
			"dispatcher: New needs a store.Store, such as boltstore.Open returns",
		)
	}
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{
		store:   s,
		o:       opts,
		observe: newNotifier(opts.Observer, opts.Logger),
		pings:   slots.New(min(maxPings, opts.PerSubscription)),
		polls:   pull.NewOpen(MaxPolls, maxAllPolls),
	}
	d.quotas = quota.New(s, opts.Quota == nil, d.limitsOf, newQuotaError)
	d.verify = verify.NewService(opts.Verify.options(), d.verifyHost())
	var err error
	if d.rules, err = opts.rules(); err != nil {
		return nil, err
	}
	d.connect(d.sendOptions())
	return d, nil
}

// connect makes the sender and the engine.
func (d *Dispatcher) connect(o send.Options) {
	d.sender = send.New(o)
	d.verify.Connect(d.sender, TypeChallenge)
	d.reader = pull.New(d.store, d.sender)
	d.engine = engine.New(d.engineConfig())
}

// sendOptions returns the options of the sender. Tests change them before connect.
func (d *Dispatcher) sendOptions() send.Options {
	return send.Options{
		Transport:    d.o.Transport,
		Proxy:        d.o.Proxy,
		DisableHTTP2: d.o.DisableHTTP2,
		Guard:        d.rules.Guard,
		Concurrency:  d.o.Concurrency,
		Timeout:      d.o.Timeout,
		UserAgent:    d.o.UserAgent,
		Success:      d.o.Success,
		Final:        d.o.Final,
		Hooks:        d.o.hooks(),
		Logger:       d.o.Logger,
		Detail:       send.Detail(d.o.AttemptDetail),
		MaxResponse:  max(d.o.MaxResponse, 0),

		NoAirySignature:     d.o.Signatures == SignaturesStandard,
		NoStandardSignature: d.o.Signatures == SignaturesAiry,
		Origin:              d.o.Verify.Origin,
	}
}

// engineConfig returns the options as the engine takes them: plain numbers and functions, so that
// it need not know this package.
func (d *Dispatcher) engineConfig() engine.Config {
	c := engine.Config{
		Store:            d.store,
		Sender:           d.sender,
		Listener:         d.observe,
		Logger:           d.o.Logger,
		Concurrency:      d.o.Concurrency,
		PerSubscription:  d.o.PerSubscription,
		PerTenant:        d.o.PerTenant,
		PerHost:          d.o.PerHost,
		BreakerThreshold: BreakerThreshold,
		Lease:            d.o.Timeout + leaseSlack,
		DrainTimeout:     d.o.DrainTimeout,
		DisableAfter:     d.o.DisableAfter,
		Retention: store.Retention{
			Delivered: max(d.o.Retention, 0),
			Failed:    max(d.o.FailedRetention, 0),
		},
		MaxAttempts:       d.o.Backoff.MaxAttempts,
		RetryDelay:        backoff.Policy(d.o.Backoff).Delay,
		RateLimit:         d.o.RateLimit,
		OperationalEvents: d.o.OperationalEvents,
		Update: func(
			ctx context.Context,
			id string,
			change func(*store.Subscription) error,
		) (store.Subscription, error) {
			return d.update(ctx, d.observe.Later, ActionDisable, id, change)
		},
	}
	if d.o.Tracer != nil && d.o.Tracer.Attempt != nil {
		c.StartSpan = d.startSpan
	}
	return c
}

// Run delivers until ctx ends. Then it claims no more, lets running attempts finish for up to
// Options.DrainTimeout, cuts the rest off and gives them back uncounted, records what is to be
// recorded, and returns nil. Every goroutine that it started has ended by then.
//
// It returns [ErrRunning] if it is running already, and store.ErrClosed, at once, if the store is
// closed. It logs any other trouble with the store and tries again.
func (d *Dispatcher) Run(ctx context.Context) error {
	if !d.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer d.running.Store(false)
	d.logStart(ctx)
	asking, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.verify.Run(asking)
	}()
	defer func() {
		stop()
		<-done
	}()
	return d.engine.Run(ctx)
}

// logStart says once what a host's log should have when somebody reads it later: which settings
// were in force.
func (d *Dispatcher) logStart(ctx context.Context) {
	o := &d.o
	d.o.Logger.LogAttrs(ctx, slog.LevelInfo, "outhook: delivering",
		slog.String("version", Version),
		slog.String("store", fmt.Sprintf("%T", d.store)),
		slog.Int("concurrency", o.Concurrency),
		slog.Int("per_subscription", o.PerSubscription),
		slog.Int("per_tenant", o.PerTenant),
		slog.Int("per_host", o.PerHost),
		slog.Duration("timeout", o.Timeout),
		slog.Duration("drain_timeout", o.DrainTimeout),
		slog.Int("max_attempts", o.Backoff.MaxAttempts),
		slog.Duration("disable_after", o.DisableAfter),
		slog.Duration("retention", o.Retention),
		slog.Duration("failed_retention", o.FailedRetention),
		slog.Int("event_types", len(o.EventTypes)),
		slog.Bool("require_https", o.RequireHTTPS),
		slog.Bool("allow_loopback", o.AllowLoopback),
		slog.Bool("own_transport", o.Transport != nil),
		slog.Bool("proxy", o.Proxy != nil), // its URL may have a password
	)
}
