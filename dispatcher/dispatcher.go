package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/observe"
	"github.com/outhook/outhook/store"
)

// Dispatcher takes events and delivers them to the subscriptions that want them. All its methods
// may be called from any number of goroutines, before, during and after Run.
type Dispatcher struct {
	store   store.Store
	o       Options
	rules   check.Rules
	observe *observe.Notifier
	policy  policies
	running atomic.Bool
	pings   atomic.Uint64 // that were sent

	*parts
}

// ErrRunning is returned by Run if an earlier call of it has not returned.
var ErrRunning = errors.New("dispatcher: Run is running already; a Dispatcher runs once at a time")

// New returns a Dispatcher that keeps everything in s. A nil o means the defaults. It delivers
// nothing until Run is called. The error says which options are wrong.
//
// Make one Dispatcher for a store in each process. A second one counts its attempts and rates for
// itself, so limits such as Concurrency hold for each, and not for both together.
func New(s store.Store, o *Options) (*Dispatcher, error) {
	// Also a nil *boltstore.Store, which is what a host has that ignored the error of Open.
	if v := reflect.ValueOf(s); s == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New(
			"dispatcher: New needs a store.Store, such as boltstore.Open returns",
		)
	}
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{
		store: s, o: opts,
		observe: observe.New(opts.Observer.functions(), BreakerThreshold, opts.Logger),
	}
	d.policy = policies{&d.o, d.observe.Queue}
	var err error
	if d.rules, err = opts.rules(d.observe.Queue); err != nil {
		return nil, err
	}
	d.parts = newParts(d, opts.sendOptions(d.rules.Guard))
	return d, nil
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
		d.proofs.Run(asking)
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
