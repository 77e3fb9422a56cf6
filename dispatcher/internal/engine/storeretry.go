package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	storeGrace      = 5 * time.Second // for the store, once Run waits for nothing else
	storeRetryFirst = 50 * time.Millisecond
	storeRetryMax   = 5 * time.Second
)

// persist calls the store until it answers with anything but trouble, until ends, or Run gives up
// on the store; then it returns the last error. The call itself gets r.rest, which outlives until:
// a write that is on its way when Run is told to stop may still land. What it writes must bear
// being written twice, because an error can hide a success.
func persist[T any](
	until context.Context,
	r *run,
	op string,
	call func(context.Context) (T, error),
) (T, error) {
	var trouble backoff
	for {
		out, err := protect(func() (T, error) { return call(r.rest) })
		if err == nil || isFinal(err) {
			return out, err
		}
		r.storeTrouble(op, err)
		if !trouble.wait(until) {
			return out, err
		}
	}
}

// isFinal reports whether an error of the store is one that trying again does not change.
func isFinal(err error) bool {
	var invalid *events.InvalidError
	return errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrNotFound) ||
		errors.Is(err, errChanged) || errors.As(err, &invalid)
}

// protect turns a panic of the store into an error, which is tried again like any other: a bug in a
// store's code must not end the host's process.
func protect[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("dispatcher: the store panicked: %v", p)
		}
	}()
	return call()
}

// storeTrouble tells the host of a failed call.
func (r *run) storeTrouble(op string, err error) {
	r.Logger.Error("outhook: the store is in trouble", "op", op, "error", err)
	r.Listener.StoreTrouble(op, err)
}

// backoff spaces out calls of a store that is in trouble.
type backoff struct{ delay time.Duration }

func (b *backoff) reset() { b.delay = 0 }

// wait waits, twice as long each time up to storeRetryMax, and reports whether ctx goes on.
func (b *backoff) wait(ctx context.Context) bool {
	b.delay = min(max(2*b.delay, storeRetryFirst), storeRetryMax)
	timer := time.NewTimer(b.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
