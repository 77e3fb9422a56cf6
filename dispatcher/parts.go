package dispatcher

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/erase"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/ping"
	"github.com/outhook/outhook/dispatcher/internal/publish"
	"github.com/outhook/outhook/dispatcher/internal/pull"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/registry"
	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/dispatcher/internal/slots"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/store"
)

// parts do the work of a Dispatcher: the methods that a host calls say what they promise, and hand
// on to one of these.
type parts struct {
	sender    *send.Sender
	engine    *engine.Engine
	registry  *registry.Registry
	publisher *publish.Publisher
	pinger    *ping.Pinger
	replayer  *replay.Replayer
	eraser    *erase.Eraser
	proofs    *verify.Service
	poller    *pull.Poller
}

// newParts makes the parts of a Dispatcher. What they need of each other, and of the host's
// functions, is given to them here and nowhere else.
func newParts(d *Dispatcher, o send.Options) *parts {
	quotas := quota.New(d.store, d.o.Quota == nil, func(tenant string) (quota.Limits, error) {
		return limitsOf(d.o.Quota, d.observe.Queue, tenant)
	}, newQuotaError)
	perTenant := slots.New(min(maxPings, d.o.PerSubscription))
	p := &parts{sender: send.New(o)}
	p.registry = &registry.Registry{
		Store: d.store, Rules: &d.rules, Quotas: quotas, Listener: d.observe,
	}
	p.proofs = verify.NewService(d.o.Verify.options(), verify.Host{
		Sender: p.sender, Event: TypeChallenge, Logger: d.o.Logger,
		Subscription: p.registry.Get, Policy: d.policy.send,
		Allow: quotas.AllowProof, RetryAfter: retryAfter,
		Enter: perTenant.Enter, TryEnter: perTenant.TryEnter,
		Update: func(
			ctx context.Context, later bool, id string, change func(*store.Subscription) error,
		) error {
			_, err := p.registry.Update(ctx, actor.Verify, later, id, change)
			return err
		},
	})
	p.engine = engine.New(engineConfig(d, p))
	p.registry.Proofs, p.registry.Fence = p.proofs, p.engine

	polls := pull.NewOpen(MaxPolls, maxAllPolls)
	p.publisher = &publish.Publisher{
		Store: d.store, Rules: &d.rules, Quotas: quotas, Wake: polls.Wake,
		Protect:   func(f func()) { d.observe.Protect("Options.Tracer", f) },
		Published: d.observe.HostPublished(),
	}
	if d.o.Tracer != nil {
		p.publisher.Span = d.o.Tracer.Publish
	}
	p.poller = &pull.Poller{
		Reader: pull.New(d.store, p.sender, d.policy.send), Open: polls,
		Subscription: p.registry.Get,
		Refuse: func(tenant string) error {
			return newQuotaError(tenant, string(QuotaPolls), MaxPolls, time.Second)
		},
		Recorded: func(read []pull.Recorded) {
			p.engine.CountPolled(len(read))
			d.observe.Polled(read)
		},
	}
	p.pinger = ping.New(ping.Host{
		Store: d.store, Quotas: quotas, Slots: perTenant, Proofs: p.proofs, Sender: p.sender,
		Logger: d.o.Logger, Subscription: p.registry.Get, Policy: d.policy.send,
		Types: d.EventTypesFor, Reached: p.engine.Reached, Pinged: d.observe.Pinged,
		Acted: d.observe.HostActed,
	}, &d.pings)
	p.replayer = &replay.Replayer{
		Store: d.store, Quotas: quotas, Subscription: p.registry.Get, Acted: d.observe.HostActed,
	}
	p.eraser = &erase.Eraser{
		Store: d.store, Fence: p.engine, Canceled: d.observe.Erased, Acted: d.observe.HostActed,
	}
	return p
}

// retryAfter returns how long an error of a quota holds; zero if it is another error.
func retryAfter(err error) time.Duration {
	if q := (*QuotaError)(nil); errors.As(err, &q) {
		return q.RetryAfter
	}
	return 0
}

// sendOptions returns the options as the sender takes them. Tests change them.
func (o *Options) sendOptions(guard *netguard.Policy) send.Options {
	return send.Options{
		Transport:    o.Transport,
		Proxy:        o.Proxy,
		DisableHTTP2: o.DisableHTTP2,
		Guard:        guard,
		Concurrency:  o.Concurrency,
		Timeout:      o.Timeout,
		UserAgent:    o.UserAgent,
		Obeys:        o.ReceiverSteers,
		Hooks:        o.hooks(),
		Logger:       o.Logger,
		Detail:       send.Detail(o.AttemptDetail),
		MaxResponse:  max(o.MaxResponse, 0),

		NoAirySignature:     o.Signatures == SignaturesStandard,
		NoStandardSignature: o.Signatures == SignaturesAiry,
		Origin:              o.Verify.Origin,
	}
}

// engineConfig returns the options as the engine takes them: plain numbers and functions, so that
// it need not know this package.
func engineConfig(d *Dispatcher, p *parts) engine.Config {
	c := engine.Config{
		Store:            d.store,
		Sender:           p.sender,
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
			ctx context.Context, id string, change func(*store.Subscription) error,
		) (store.Subscription, error) {
			return p.registry.Update(ctx, actor.Disable, true, id, change)
		},
	}
	if d.o.Policy != nil || d.o.OwnerMay != (OwnerBounds{}) || d.o.Verify.setsRate() {
		c.Policy = d.policy.engine
	}
	if d.o.Tracer != nil && d.o.Tracer.Attempt != nil {
		span := d.o.Tracer.attemptSpan()
		c.StartSpan = func(
			ctx context.Context, c *store.Claim, a store.Attempt,
		) (context.Context, string, func(store.Outcome)) {
			return d.observe.StartSpan(ctx, span, c, a)
		}
	}
	return c
}
