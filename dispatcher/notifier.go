package dispatcher

import (
	"bytes"
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/notify"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// notifier turns what happens into calls of an Observer. It is the engine's Listener.
type notifier struct {
	*notify.Queue
	o   Observer
	log *slog.Logger
}

// newNotifier copies o, so that the host may change its own later.
func newNotifier(o *Observer, log *slog.Logger) *notifier {
	return &notifier{notify.New(log), *o, log}
}

// Methods that take a tell get Now for what the host did, and Later for what Run did.

// published tells of events that are stored.
func (n *notifier) published(tell func(func()), evs []events.Event) {
	if n.o.OnPublish != nil {
		tell(func() { n.o.OnPublish(evs) })
	}
}

// subscriptionChanged tells of a subscription that was made or changed. It gets a copy, as the one
// that is returned to the host is the host's to change, perhaps while a call still waits.
func (n *notifier) subscriptionChanged(tell func(func()), sub store.Subscription) {
	if n.o.OnSubscription != nil {
		sub = sub.Clone()
		tell(func() { n.o.OnSubscription(sub) })
	}
}

// canceled tells of deliveries that were canceled.
func (n *notifier) canceled(tell func(func()), c Cancellation) {
	if n.o.OnCanceled != nil {
		tell(func() { n.o.OnCanceled(c) })
	}
}

// AttemptStarted implements engine.Listener.
func (n *notifier) AttemptStarted(c *store.Claim, at time.Time) {
	if n.o.OnAttemptStart != nil {
		info := newInfo(c)
		info.Attempt = store.Attempt{Number: c.Attempt, At: at}
		info.State = store.Pending
		n.Later(func() { n.o.OnAttemptStart(info) })
	}
}

// AttemptRecorded implements engine.Listener.
func (n *notifier) AttemptRecorded(c *store.Claim, o *store.Outcome, res *store.Result) {
	n.attempted(n.Later, c, o, res)
}

// attempted tells of an attempt that was recorded, with what follows from it.
func (n *notifier) attempted(
	tell func(func()), c *store.Claim, o *store.Outcome, res *store.Result,
) {
	// By the health before and after this outcome: outcomes of one subscription are recorded one
	// after another, so each change is in one of them and is told once, by one replica.
	opened := res.Before.Failures < BreakerThreshold && res.After.Failures >= BreakerThreshold
	closed := res.Before.Failures >= BreakerThreshold && res.After.Failures == 0
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
		tell(func() { call(info) })
	}
}

// pinged tells of a ping that was sent.
func (n *notifier) pinged(c *store.Claim, a *store.Attempt) {
	if n.o.OnPing != nil {
		info := newInfo(c)
		info.Attempt = *a
		info.Attempt.Response = bytes.Clone(a.Response) // the caller of Ping has the other
		n.Now(func() { n.o.OnPing(info) })
	}
}

// deleted tells of a subscription that the host has deleted; Run deletes none.
func (n *notifier) deleted(sub store.Subscription) {
	if n.o.OnDelete != nil {
		n.Now(func() { n.o.OnDelete(sub) })
	}
}

// Disabled implements engine.Listener.
func (n *notifier) Disabled(sub store.Subscription) {
	if n.o.OnDisabled != nil {
		n.Later(func() { n.o.OnDisabled(sub) })
	}
}

// OutageStarted implements engine.Listener.
func (n *notifier) OutageStarted(since time.Time) {
	if n.o.OnOutageStart != nil {
		n.Later(func() { n.o.OnOutageStart(Outage{Since: since}) })
	}
}

// OutageEnded implements engine.Listener.
func (n *notifier) OutageEnded(since, until time.Time) {
	if n.o.OnOutageEnd != nil {
		n.Later(func() { n.o.OnOutageEnd(Outage{Since: since, Until: until}) })
	}
}

// StoreTrouble implements engine.Listener.
func (n *notifier) StoreTrouble(op string, err error) {
	if n.o.OnStoreTrouble != nil {
		n.Later(func() { n.o.OnStoreTrouble(op, err) })
	}
}

// Published implements engine.Listener.
func (n *notifier) Published(evs []events.Event) { n.published(n.Later, evs) }

// Canceled implements engine.Listener.
func (n *notifier) Canceled(c *store.Claim, reason string) {
	n.canceled(n.Later, Cancellation{c.SubscriptionID, c.EventID, c.Tenant, reason})
}
