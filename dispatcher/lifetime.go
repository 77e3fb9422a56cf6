package dispatcher

import (
	"context"
	"time"
)

// lifetime is how long an attempt may go on: until its deadline, or until what it is under ends. It belongs to one goroutine.
type lifetime struct {
	parent   context.Context
	deadline time.Time

	ctx    context.Context // of the attempt, with a timer; nil until it is asked for, as most attempts do without
	cancel context.CancelFunc
}

// attemptKey is the key under which the context of an attempt has itself, for what is made from it and would outlive it.
type attemptKey struct{}

// context returns a context that ends with the lifetime.
func (l *lifetime) context() context.Context {
	if l.ctx == nil {
		ctx, cancel := context.WithDeadline(l.parent, l.deadline)
		l.ctx, l.cancel = context.WithValue(ctx, attemptKey{}, ctx), cancel
	}
	return l.ctx
}

// err says why the lifetime is over; nil while it is not.
func (l *lifetime) err() error {
	if err := l.parent.Err(); err != nil {
		return err
	}
	if time.Now().Before(l.deadline) {
		return nil
	}
	return context.DeadlineExceeded
}

func (l *lifetime) end() {
	if l.cancel != nil {
		l.cancel()
	}
}
