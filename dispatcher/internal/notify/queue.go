// Package notify calls functions of a host that are told what happens, so that neither a slow one
// nor one that panics is in the way of a delivery.
//
// What the host does itself is told at once, in its own goroutine ([Queue.Now]). What Run does is
// told by one goroutine, in the order in which it happened, from a queue that is bounded
// ([Queue.Later]): beyond the bound calls are dropped, and their number is logged.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// maxWaiting is how many calls wait at most.
const maxWaiting = 4096

// Queue makes the calls. It is safe for concurrent use.
type Queue struct {
	log *slog.Logger

	mu      sync.Mutex
	waiting chan func() // nil while Run is not running
	dropped int
}

// New returns a Queue that makes calls now, and drops those for later until it is started.
func New(log *slog.Logger) *Queue { return &Queue{log: log} }

// Start begins to make calls in a goroutine of its own. The function that it returns ends that,
// once the calls that wait have been made, or ctx has ended.
func (q *Queue) Start() (stop func(ctx context.Context)) {
	// A channel for each Run: what one has left behind must not be told by the next.
	waiting := make(chan func(), maxWaiting)
	done := make(chan struct{})
	q.mu.Lock()
	q.waiting = waiting
	q.mu.Unlock()
	go func() {
		defer close(done)
		for call := range waiting {
			q.Now(call)
		}
	}()
	return func(ctx context.Context) {
		// Under the lock of Later, which would panic if it sent on a closed channel. On a nil one
		// it drops.
		q.mu.Lock()
		q.waiting = nil
		close(waiting)
		q.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			q.log.Error("outhook: the Observer blocks; calls were dropped", "calls", len(waiting))
		}
	}
}

// Now makes a call of the Observer, in the goroutine of the caller.
func (q *Queue) Now(f func()) { q.Protect("the Observer", f) }

// Protect calls a function of the host, and keeps a panic to it.
func (q *Queue) Protect(what string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("outhook: "+what+" panicked", "panic", fmt.Sprint(p))
		}
	}()
	f()
}

// Ask returns what a function of the host answers; ok is false if it panics.
func Ask[T any](q *Queue, what string, f func() T) (answer T, ok bool) {
	q.Protect(what, func() { answer, ok = f(), true })
	return answer, ok
}

// Later has a call made by the goroutine of Start, or drops it: what delivers must not wait for the
// Observer.
func (q *Queue) Later(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.waiting <- f:
		if q.dropped > 0 {
			q.log.Error("outhook: the Observer is too slow; calls were dropped", "calls", q.dropped)
			q.dropped = 0
		}
	default:
		q.dropped++
	}
}
