package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

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
	limitsOf := func(tenant string) (quota.Limits, error) {
		return d.observe.limitsOf(opts.Quota, tenant)
	}
	d.quotas = quota.New(s, opts.Quota == nil, limitsOf, newQuotaError)
	d.verify = verify.NewService(opts.Verify.options(), d.verifyHost())
	var err error
	if d.rules, err = opts.rules(); err != nil {
		return nil, err
	}
	if opts.TypeVisible != nil {
		d.rules.Visible = d.typeVisible
	}
	d.connect(d.sendOptions())
	return d, nil
}

// connect makes the sender and the engine.
func (d *Dispatcher) connect(o send.Options) {
	d.sender = send.New(o)
	d.verify.Connect(d.sender, TypeChallenge)
	d.reader = pull.New(d.store, d.sender, d.sendPolicy)
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
		Obeys:        d.o.ReceiverSteers,
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
		Lease:            d.o.MaxTimeout + leaseSlack,
		DrainTimeout:     d.o.DrainTimeout,
		DisableAfter:     d.o.DisableAfter,
		Retention: store.Retention{
			Delivered: max(d.o.Retention, 0),
			Failed:    max(d.o.FailedRetention, 0),
		},
		OperationalEvents: d.o.OperationalEvents,
		Defaults:          d.o.usualPolicy(),
		Update: func(
			ctx context.Context,
			id string,
			change func(*store.Subscription) error,
		) (store.Subscription, error) {
			return d.update(ctx, d.observe.Later, ActionDisable, id, change)
		},
	}
	if d.o.Policy != nil || d.o.OwnerMay != (OwnerBounds{}) || d.o.Verify.setsRate() {
		c.Policy = d.enginePolicy
	}
	if d.o.Tracer != nil && d.o.Tracer.Attempt != nil {
		c.StartSpan = func(
			ctx context.Context, c *store.Claim, a store.Attempt,
		) (context.Context, string, func(store.Outcome)) {
			return d.observe.startSpan(ctx, d.o.Tracer, c, a)
		}
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
	d.o.logStart(ctx, d.store)
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
func (o *Options) logStart(ctx context.Context, s store.Store) {
	o.Logger.InfoContext(ctx, "outhook: delivering",
		"version", Version, "store", fmt.Sprintf("%T", s),
		"concurrency", o.Concurrency, "per_subscription", o.PerSubscription,
		"per_tenant", o.PerTenant, "per_host", o.PerHost,
		"timeout", o.Timeout, "max_timeout", o.MaxTimeout, "drain_timeout", o.DrainTimeout,
		"max_attempts", o.Backoff.MaxAttempts, "disable_after", o.DisableAfter,
		"retention", o.Retention, "failed_retention", o.FailedRetention,
		"event_types", len(o.EventTypes), "policy", o.Policy != nil,
		"require_https", o.RequireHTTPS, "allow_loopback", o.AllowLoopback,
		"own_transport", o.Transport != nil,
		"proxy", o.Proxy != nil) // its URL may have a password
}
