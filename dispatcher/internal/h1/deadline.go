package h1

import (
	"context"
	"sync"
	"time"
)

// DeadlineContext is a context that ends with its parent or at its deadline; see [WithDeadline].
type DeadlineContext struct {
	parent context.Context
	own    time.Time // the deadline that it was made with; the parent's may be earlier
	phases Phases

	mu       sync.Mutex
	timed    context.Context // with a timer; nil until somebody asks for Done
	cancel   context.CancelFunc
	canceled bool
}

// WithDeadline is context.WithDeadline for a request over a [Transport]. It makes a timer only when
// somebody asks for Done, such as a dialer: a connection keeps the deadline by itself, so that most
// requests need no timer. Its Cancel must be called; a Transport notices it only where it asks for
// Done.
//
// Between requests, a connection goes on watching parent. Requests whose contexts have the same
// parent, or one with the same Done channel, therefore register with it once for each connection.
//
// It returns a type, and no function to cancel: that would cost each request one more allocation.
func WithDeadline(parent context.Context, deadline time.Time) *DeadlineContext {
	return WithDeadlineFrom(parent, time.Now(), deadline)
}

// WithDeadlineFrom is WithDeadline for a caller that has just looked at the clock.
func WithDeadlineFrom(parent context.Context, begun, deadline time.Time) *DeadlineContext {
	return &DeadlineContext{parent: parent, own: deadline, phases: Phases{begun: begun}}
}

// Deadline implements [context.Context].
func (c *DeadlineContext) Deadline() (time.Time, bool) {
	if d, ok := c.parent.Deadline(); ok && d.Before(c.own) {
		return d, true
	}
	return c.own, true
}

// Done implements [context.Context].
func (c *DeadlineContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		// By its own deadline: a timer for the parent's could fire first, and this context would
		// have ended while its parent has not.
		c.timed, c.cancel = context.WithDeadline(c.parent, c.own)
		if c.canceled {
			c.cancel()
		}
	}
	return c.timed.Done()
}

// Err implements [context.Context].
func (c *DeadlineContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.timed != nil:
		return c.timed.Err() // not by the clock: Done and Err must agree
	case c.parent.Err() != nil:
		return c.parent.Err()
	case c.canceled:
		return context.Canceled
	case time.Now().Before(c.own):
		return nil
	}
	return context.DeadlineExceeded
}

// Value implements [context.Context].
func (c *DeadlineContext) Value(key any) any {
	if key == (phasesKey{}) {
		return &c.phases
	}
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

// Cancel ends the context and frees its timer.
func (c *DeadlineContext) Cancel() {
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
	if c, ok := ctx.(*DeadlineContext); ok {
		return c.parent, true
	}
	return ctx, false
}
