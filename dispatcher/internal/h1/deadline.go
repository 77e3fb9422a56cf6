package h1

import (
	"context"
	"sync"
	"time"
)

// deadlineContext is what WithDeadline returns.
type deadlineContext struct {
	parent   context.Context
	deadline time.Time

	mu       sync.Mutex
	timed    context.Context // with a timer; nil until somebody asks for Done
	cancel   context.CancelFunc
	canceled bool
}

// WithDeadline is context.WithDeadline for a request over a [Transport]. It makes a timer only when
// somebody asks for Done, such as a dialer: a connection keeps the deadline by itself, so that most
// requests need no timer. Cancel frees the timer, and must be called; a Transport notices it only
// where it asks for Done.
//
// Between requests, a connection goes on watching parent. Requests whose contexts have the same
// parent, or one with the same Done channel, therefore register with it once for each connection.
func WithDeadline(parent context.Context, deadline time.Time) (ctx context.Context, cancel context.CancelFunc) {
	if d, ok := parent.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	c := &deadlineContext{parent: parent, deadline: deadline}
	return c, c.end
}

func (c *deadlineContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *deadlineContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadline(c.parent, c.deadline)
		if c.canceled {
			c.cancel()
		}
	}
	return c.timed.Done()
}

func (c *deadlineContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.timed != nil:
		return c.timed.Err() // not by the clock: Done and Err must agree
	case c.parent.Err() != nil:
		return c.parent.Err()
	case c.canceled:
		return context.Canceled
	case time.Now().Before(c.deadline):
		return nil
	}
	return context.DeadlineExceeded
}

func (c *deadlineContext) Value(key any) any {
	c.mu.Lock()
	timed := c.timed
	c.mu.Unlock()
	if timed != nil {
		// Package context finds its own contexts by a private key. Through this one it registers
		// children without a goroutine for each.
		return timed.Value(key)
	}
	return c.parent.Value(key)
}

func (c *deadlineContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.canceled = true
	if c.cancel != nil {
		c.cancel()
	}
}

// cancellation returns the context that a connection watches in place of ctx, and whether it may go
// on watching it when the request is over. Of a context of WithDeadline that is the parent: the
// deadline, the connection keeps by itself.
func cancellation(ctx context.Context) (watch context.Context, shared bool) {
	if c, ok := ctx.(*deadlineContext); ok {
		return c.parent, true
	}
	return ctx, false
}
