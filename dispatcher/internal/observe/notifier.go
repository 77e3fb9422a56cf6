package observe

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/notify"
	"github.com/outhook/outhook/dispatcher/internal/pull"
	"github.com/outhook/outhook/dispatcher/internal/registry"
	"github.com/outhook/outhook/dispatcher/internal/tracing"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Notifier tells an Observer. It is the Listener of the engine and of the registry, and is safe for
// concurrent use.
type Notifier struct {
	*notify.Queue
	o       Observer
	log     *slog.Logger
	breaker int // failures in a row that open a breaker
}

// New returns a Notifier. breaker is how many failures in a row open a breaker.
func New(o Observer, breaker int, log *slog.Logger) *Notifier {
	return &Notifier{notify.New(log), o, log, breaker}
}

// tell has f told of v, if there is an f, by Now for what the host did and by Later for what Run
// did.
func tell[T any](by func(func()), f func(T), v T) {
	if f != nil {
		by(func() { f(v) })
	}
}

// HostPublished returns what tells of events that the host has published; nil if nobody is told.
func (n *Notifier) HostPublished() func([]events.Event) {
	if n.o.OnPublish == nil {
		return nil
	}
	return func(evs []events.Event) { tell(n.Now, n.o.OnPublish, evs) }
}

// Erased tells of the deliveries of an event, or without an eventID of all of a tenant, that were
// canceled because they were erased.
func (n *Notifier) Erased(tenant, eventID string) {
	n.canceled(n.Now, Cancellation{Tenant: tenant, EventID: eventID, Reason: ReasonErased})
}

// Polled tells of deliveries that were read by poll.
func (n *Notifier) Polled(read []pull.Recorded) {
	for i := range read {
		n.attempted(n.Now, read[i].Claim, &read[i].Outcome, &read[i].Result)
	}
}

// canceled tells of deliveries that were canceled.
func (n *Notifier) canceled(by func(func()), c Cancellation) { tell(by, n.o.OnCanceled, c) }

// SubscriptionChanged implements registry.Listener.
func (n *Notifier) SubscriptionChanged(ctx context.Context, c *registry.Change) {
	by := n.Now
	if c.Run {
		by = n.Later
	}
	if n.o.OnSubscription != nil {
		// A copy, as the one that is returned to the host is the host's to change, perhaps while a
		// call still waits.
		tell(by, n.o.OnSubscription, c.Is.Clone())
	}
	if c.Is.Status == store.Unsubscribed && c.Was.Collects() {
		n.canceled(by, Cancellation{
			SubscriptionID: c.Is.ID,
			Tenant:         c.Is.Tenant,
			Reason:         cmp.Or(c.Is.DisabledReason, ReasonUnsubscribed),
		})
	}
	n.acted(ctx, by, actor.Action{Kind: c.Kind, Tenant: c.Is.Tenant, SubscriptionID: c.Is.ID})
}

// SubscriptionDeleted implements registry.Listener. Run deletes none.
func (n *Notifier) SubscriptionDeleted(ctx context.Context, was store.Subscription) {
	tell(n.Now, n.o.OnDelete, was)
	n.HostActed(ctx, actor.Action{Kind: actor.Delete, Tenant: was.Tenant, SubscriptionID: was.ID})
}

// AttemptStarted implements engine.Listener.
func (n *Notifier) AttemptStarted(c *store.Claim, at time.Time) {
	if n.o.OnAttemptStart != nil {
		info := newInfo(c)
		info.Attempt = store.Attempt{Number: c.Attempt, At: at}
		info.State = store.Pending
		tell(n.Later, n.o.OnAttemptStart, info)
	}
}

// AttemptRecorded implements engine.Listener.
func (n *Notifier) AttemptRecorded(c *store.Claim, o *store.Outcome, res *store.Result) {
	n.attempted(n.Later, c, o, res)
}

// attempted tells of an attempt that was recorded, with what follows from it.
func (n *Notifier) attempted(
	by func(func()), c *store.Claim, o *store.Outcome, res *store.Result,
) {
	// By the health before and after this outcome: outcomes of one subscription are recorded one
	// after another, so each change is in one of them and is told once, by one replica.
	opened := res.Before.Failures < n.breaker && res.After.Failures >= n.breaker
	closed := res.Before.Failures >= n.breaker && res.After.Failures == 0
	var calls []func(Info)
	add := func(applies bool, call func(Info)) {
		if applies && call != nil {
			calls = append(calls, call)
		}
	}
	add(true, n.o.OnAttempt)
	add(o.State == store.Delivered, n.o.OnDelivered)
	add(o.State == store.Dead, n.o.OnDead)
	add(opened, n.o.OnBreakerOpen)
	add(closed, n.o.OnBreakerClose)
	if len(calls) == 0 {
		return
	}
	// Only now, because most hosts have a function for few of these.
	info := newInfo(c)
	info.Attempt, info.State, info.RetryIn = o.Attempt, o.State, o.RetryIn
	info.Failures = res.After.Failures
	for _, call := range calls {
		tell(by, call, info)
	}
}

// Pinged tells of a ping that was sent.
func (n *Notifier) Pinged(c *store.Claim, a *store.Attempt) {
	if n.o.OnPing != nil {
		info := newInfo(c)
		info.Attempt = *a
		info.Attempt.Response = bytes.Clone(a.Response) // the caller of Ping has the other
		tell(n.Now, n.o.OnPing, info)
	}
}

// Disabled implements engine.Listener.
func (n *Notifier) Disabled(sub store.Subscription) { tell(n.Later, n.o.OnDisabled, sub) }

// OutageStarted implements engine.Listener.
func (n *Notifier) OutageStarted(since time.Time) {
	if n.o.OnOutageStart != nil {
		n.Later(func() { n.o.OnOutageStart(since, time.Time{}) })
	}
}

// OutageEnded implements engine.Listener.
func (n *Notifier) OutageEnded(since, until time.Time) {
	if n.o.OnOutageEnd != nil {
		n.Later(func() { n.o.OnOutageEnd(since, until) })
	}
}

// StoreTrouble implements engine.Listener.
func (n *Notifier) StoreTrouble(op string, err error) {
	if n.o.OnStoreTrouble != nil {
		n.Later(func() { n.o.OnStoreTrouble(op, err) })
	}
}

// Published implements engine.Listener.
func (n *Notifier) Published(evs []events.Event) { tell(n.Later, n.o.OnPublish, evs) }

// Canceled implements engine.Listener.
func (n *Notifier) Canceled(c *store.Claim, reason string) {
	n.canceled(n.Later, Cancellation{c.SubscriptionID, c.EventID, c.Tenant, reason})
}

// acted tells of an action, and logs it if an actor is named.
func (n *Notifier) acted(ctx context.Context, by func(func()), a actor.Action) {
	a.Log(ctx, n.log)
	if n.o.OnAction != nil {
		by(func() { n.o.OnAction(actor.Of(ctx), a) })
	}
}

// HostActed tells of an action of the host.
func (n *Notifier) HostActed(ctx context.Context, a actor.Action) { n.acted(ctx, n.Now, a) }

// StartSpan begins an attempt: it returns the context for it, the traceparent to send, and what to
// call with its outcome, which may be nil.
func (n *Notifier) StartSpan(
	ctx context.Context, begin AttemptSpan, c *store.Claim, a store.Attempt,
) (context.Context, string, func(store.Outcome)) {
	info := newInfo(c)
	info.Attempt, info.State = a, store.Pending
	var (
		traced context.Context
		trace  string
		end    func(Info)
	)
	n.Protect("Options.Tracer", func() {
		traced, trace, end = begin(ctx, info)
	})
	traced, trace = tracing.Or(traced, trace, ctx, c.Trace)
	if end == nil {
		return traced, trace, nil
	}
	return traced, trace, func(o store.Outcome) {
		info.Attempt, info.State, info.RetryIn = o.Attempt, o.State, o.RetryIn
		n.Protect("Options.Tracer", func() { end(info) })
	}
}
