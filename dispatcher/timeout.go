package dispatcher

import (
	"context"
	"sync"
	"time"
)

// attemptsContext is what the attempts of a Run go on under. It has contexts with a timer for them that are used again:
// attempts end in time as a rule, and making all that anew for each is a good part of what a request costs.
type attemptsContext struct {
	context.Context

	mu   sync.Mutex
	idle []*timeout // as many as there were attempts at once, at most
}

// timeout is a context that ends after a time, for one attempt after another.
type timeout struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// attemptContext is the context of one attempt.
type attemptContext struct {
	context.Context // of its timeout
	deadline        time.Time

	from    *attemptsContext // nil when the timeout is for this attempt alone
	timeout *timeout

	mu    sync.Mutex
	dials []context.CancelFunc // nil once the attempt has ended
	ended bool
}

// withTimeout returns a context that ends d after start. It must be ended.
func withTimeout(parent context.Context, start time.Time, d time.Duration) *attemptContext {
	a := &attemptContext{deadline: start.Add(d)}
	a.from, _ = parent.(*attemptsContext)
	if a.from != nil {
		a.timeout = a.from.take()
	}
	if a.timeout != nil {
		a.timeout.timer.Reset(d)
	} else {
		t := &timeout{}
		t.ctx, t.cancel = context.WithCancelCause(parent)
		t.timer = time.AfterFunc(d, func() { t.cancel(context.DeadlineExceeded) })
		a.timeout = t
	}
	a.Context = a.timeout.ctx
	return a
}

// end ends the context, and every dial under it. When the attempt went by without leaving anything behind that might
// look at the context, it need not be told: then clean is set, and the timeout is used again.
func (a *attemptContext) end(clean bool) {
	a.mu.Lock()
	dials := a.dials
	a.dials, a.ended = nil, true
	a.mu.Unlock()
	for _, cancel := range dials {
		cancel()
	}
	if stopped := a.timeout.timer.Stop(); stopped && clean && a.from != nil {
		a.from.put(a.timeout)
		return
	}
	a.timeout.cancel(context.Canceled)
}

func (c *attemptsContext) take() *timeout {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	t := c.idle[last]
	c.idle = c.idle[:last]
	return t
}

func (c *attemptsContext) put(t *timeout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, t)
}

// Deadline, Err and Value implement [context.Context].

func (a *attemptContext) Deadline() (time.Time, bool) { return a.deadline, true }

func (a *attemptContext) Err() error {
	if err := a.Context.Err(); err == nil || context.Cause(a.Context) != context.DeadlineExceeded {
		return err
	}
	return context.DeadlineExceeded
}

func (a *attemptContext) Value(key any) any {
	if key == (dialKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// dialKey is the key under which the context of an attempt has itself, for the dials of its request.
type dialKey struct{}

// dial returns a context for a dial, which ends no later than the attempt.
func (a *attemptContext) dial() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(a)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		cancel()
	} else {
		a.dials = append(a.dials, cancel)
	}
	return ctx, cancel
}
