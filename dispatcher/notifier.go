package dispatcher

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// maxNotices is how many calls of an Observer wait at most.
const maxNotices = 4096

// notifier calls an Observer. It is the engine's Listener.
type notifier struct {
	o   *Observer
	log *slog.Logger

	mu      sync.Mutex
	queue   chan func() // nil while Run is not running
	dropped int
}

// newNotifier copies o, so that the host may change its own later.
func newNotifier(o *Observer, log *slog.Logger) *notifier {
	c := *o
	return &notifier{o: &c, log: log}
}

// Start begins to make calls in a goroutine of its own. The function that it returns ends that,
// once the calls that wait have been made, or ctx has ended.
func (n *notifier) Start() (stop func(ctx context.Context)) {
	// A queue for each Run: what one has left behind must not be told by the next.
	queue := make(chan func(), maxNotices)
	done := make(chan struct{})
	n.mu.Lock()
	n.queue = queue
	n.mu.Unlock()
	go func() {
		defer close(done)
		for call := range queue {
			n.now(call)
		}
	}()
	return func(ctx context.Context) {
		// Under the lock of later, which would panic if it sent on a closed channel. On a nil one
		// it drops.
		n.mu.Lock()
		n.queue = nil
		close(queue)
		n.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			n.log.Error("outhook: the Observer blocks; calls were dropped", "calls", len(queue))
		}
	}
}

// now makes a call of the Observer, in the goroutine of the caller.
func (n *notifier) now(f func()) { n.protect("the Observer", f) }

// protect calls a function of the host, and keeps a panic to it.
func (n *notifier) protect(what string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("outhook: "+what+" panicked", "panic", fmt.Sprint(p))
		}
	}()
	f()
}

// later has a call made by the goroutine of Start, or drops it: what delivers must not wait for the
// Observer.
func (n *notifier) later(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case n.queue <- f:
		if n.dropped > 0 {
			n.log.Error("outhook: the Observer is too slow; calls were dropped", "calls", n.dropped)
			n.dropped = 0
		}
	default:
		n.dropped++
	}
}

// Methods that take a tell get n.now for what the host did, and n.later for what Run did.

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
		n.later(func() { n.o.OnAttemptStart(info) })
	}
}

// AttemptRecorded implements engine.Listener.
func (n *notifier) AttemptRecorded(c *store.Claim, o *store.Outcome, res *store.Result) {
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
		n.later(func() { call(info) })
	}
}

// pinged tells of a ping that was sent.
func (n *notifier) pinged(c *store.Claim, a *store.Attempt) {
	if n.o.OnPing != nil {
		info := newInfo(c)
		info.Attempt = *a
		info.Attempt.Response = bytes.Clone(a.Response) // the caller of Ping has the other
		n.now(func() { n.o.OnPing(info) })
	}
}

// deleted tells of a subscription that the host has deleted; Run deletes none.
func (n *notifier) deleted(sub store.Subscription) {
	if n.o.OnDelete != nil {
		n.now(func() { n.o.OnDelete(sub) })
	}
}

// Disabled implements engine.Listener.
func (n *notifier) Disabled(sub store.Subscription) {
	if n.o.OnDisabled != nil {
		n.later(func() { n.o.OnDisabled(sub) })
	}
}

// OutageStarted implements engine.Listener.
func (n *notifier) OutageStarted(since time.Time) {
	if n.o.OnOutageStart != nil {
		n.later(func() { n.o.OnOutageStart(Outage{Since: since}) })
	}
}

// OutageEnded implements engine.Listener.
func (n *notifier) OutageEnded(since, until time.Time) {
	if n.o.OnOutageEnd != nil {
		n.later(func() { n.o.OnOutageEnd(Outage{Since: since, Until: until}) })
	}
}

// StoreTrouble implements engine.Listener.
func (n *notifier) StoreTrouble(op string, err error) {
	if n.o.OnStoreTrouble != nil {
		n.later(func() { n.o.OnStoreTrouble(op, err) })
	}
}

// Published implements engine.Listener.
func (n *notifier) Published(evs []events.Event) { n.published(n.later, evs) }

// Canceled implements engine.Listener.
func (n *notifier) Canceled(c *store.Claim, reason string) {
	n.canceled(n.later, Cancellation{c.SubscriptionID, c.EventID, c.Tenant, reason})
}
