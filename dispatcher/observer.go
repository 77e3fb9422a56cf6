package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Observer is told what happens, after it is stored. Each of its functions may be nil. A panic in one is caught and
// logged.
//
// OnPublish and OnSubscription run in the goroutine of whoever called the Dispatcher. The others run one after another in a
// goroutine of Run's own, in the order in which things happened, so that a slow one delays no delivery: when more than
// a few thousand calls wait, further ones are dropped and their number logged.
type Observer struct {
	// OnPublish gets the events of one Publish.
	OnPublish func([]events.Event)

	// OnSubscription gets a subscription that was made or changed, as it is now.
	OnSubscription func(store.Subscription)

	// OnAttemptStart is called when an attempt starts: of Info.Attempt, Number and At are set.
	OnAttemptStart func(Info)

	// OnAttempt is called when an attempt has been recorded: Info.State says what it made of the delivery. When that is
	// store.Pending it will be retried after Info.RetryIn.
	OnAttempt func(Info)

	// OnDelivered and OnDead are called, after OnAttempt, when it ended the delivery.
	OnDelivered, OnDead func(Info)

	// OnBreakerOpen and OnBreakerClose are called when a subscription's failures in a row reach BreakerThreshold, and when
	// a success ends them.
	OnBreakerOpen, OnBreakerClose func(Info)

	// OnDisabled gets a subscription that the Dispatcher has unsubscribed; its DisabledReason says why. This is where to
	// tell its owner.
	OnDisabled func(store.Subscription)

	// OnStoreTrouble is called when the store fails what Run asked of it ("claim", "finish", "release", "disable", "prune").
	// Run tries again by itself.
	OnStoreTrouble func(op string, err error)
}

// Info says which attempt an Observer is told of.
type Info struct {
	Subscription store.Subscription // as it was when the attempt started; for reading only
	EventID      string
	EventType    string
	Tenant       string
	EventTime    time.Time     // when the event happened
	EnqueuedAt   time.Time     // when it was published
	Attempt      store.Attempt // what came of it
	State        store.State   // of the delivery now
	RetryIn      time.Duration // until the next attempt, when State is store.Pending
	Failures     int           // of the subscription in a row, this one included
}

// maxNotices is how many calls of an Observer wait at most.
const maxNotices = 4096

// notifier calls an Observer.
type notifier struct {
	o   *Observer
	log *slog.Logger

	mu      sync.Mutex
	queue   chan func() // nil while Run is not running
	dropped int
}

func newNotifier(o *Observer, log *slog.Logger) *notifier {
	c := *o
	return &notifier{o: &c, log: log}
}

// start begins to make calls in a goroutine of its own. The function that it returns ends that, once the calls that wait
// have been made, or ctx has ended.
func (n *notifier) start() (stop func(ctx context.Context)) {
	queue := make(chan func(), maxNotices)
	done := make(chan struct{})
	n.mu.Lock()
	n.queue = queue
	n.mu.Unlock()
	go func() {
		defer close(done)
		for call := range queue {
			n.call(call)
		}
	}()
	return func(ctx context.Context) {
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

// call makes one call and keeps a panic to it.
func (n *notifier) call(f func()) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("outhook: the Observer panicked", "panic", fmt.Sprint(p))
		}
	}()
	f()
}

// enqueue has a call made later, or drops it.
func (n *notifier) enqueue(f func()) {
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

func (n *notifier) published(evs []events.Event) {
	if n.o.OnPublish != nil {
		n.call(func() { n.o.OnPublish(evs) })
	}
}

func (n *notifier) subscriptionChanged(sub store.Subscription) {
	if n.o.OnSubscription != nil {
		sub = sub.Clone()
		n.call(func() { n.o.OnSubscription(sub) })
	}
}

func (n *notifier) attemptStarted(c *store.Claim, at time.Time) {
	if n.o.OnAttemptStart != nil {
		info := newInfo(c)
		info.Attempt = store.Attempt{Number: c.Attempt, At: at}
		info.State = store.Pending
		n.enqueue(func() { n.o.OnAttemptStart(info) })
	}
}

func (n *notifier) attemptEnded(f *finished, res *store.Result) {
	opened := res.Before.Failures < BreakerThreshold && res.After.Failures >= BreakerThreshold
	closed := res.Before.Failures >= BreakerThreshold && res.After.Failures == 0
	var calls []func(Info)
	add := func(applies bool, call func(Info)) {
		if applies && call != nil {
			calls = append(calls, call)
		}
	}
	add(true, n.o.OnAttempt)
	add(f.outcome.State == store.Delivered, n.o.OnDelivered)
	add(f.outcome.State == store.Dead, n.o.OnDead)
	add(opened, n.o.OnBreakerOpen)
	add(closed, n.o.OnBreakerClose)
	if len(calls) == 0 {
		return
	}
	info := newInfo(f.claim)
	info.Attempt, info.State, info.RetryIn = f.outcome.Attempt, f.outcome.State, f.outcome.RetryIn
	info.Failures = res.After.Failures
	for _, call := range calls {
		n.enqueue(func() { call(info) })
	}
}

func (n *notifier) disabled(sub store.Subscription) {
	if n.o.OnDisabled != nil {
		n.enqueue(func() { n.o.OnDisabled(sub) })
	}
}

func (n *notifier) storeTrouble(op string, err error) {
	if n.o.OnStoreTrouble != nil {
		n.enqueue(func() { n.o.OnStoreTrouble(op, err) })
	}
}

func newInfo(c *store.Claim) Info {
	return Info{
		Subscription: c.Subscription,
		EventID:      c.EventID,
		EventType:    c.EventType,
		Tenant:       c.Tenant,
		EventTime:    c.EventTime,
		EnqueuedAt:   c.EnqueuedAt,
		Failures:     c.Health.Failures,
	}
}
