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

// The methods below that take a tell are told by n.call of what the host did, and by n.enqueue of what Run did.

func (n *notifier) published(tell func(func()), evs []events.Event) {
	if n.o.OnPublish != nil {
		tell(func() { n.o.OnPublish(evs) })
	}
}

func (n *notifier) subscriptionChanged(tell func(func()), sub store.Subscription) {
	if n.o.OnSubscription != nil {
		sub = sub.Clone()
		tell(func() { n.o.OnSubscription(sub) })
	}
}

func (n *notifier) canceled(tell func(func()), c Cancellation) {
	if n.o.OnCanceled != nil {
		tell(func() { n.o.OnCanceled(c) })
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

func (n *notifier) deleted(sub store.Subscription) {
	if n.o.OnDelete != nil {
		n.call(func() { n.o.OnDelete(sub) })
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
