package batcher

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// How much goes into one run. A call that is larger alone has a run of its own.
const (
	MaxItems = 1000
	MaxSize  = 4 << 20
)

// MaxWait bounds how long a call waits for those before it.
const MaxWait = 5 * time.Minute

// yields is how often the loop lets others run before it goes on: callers that have just been
// answered, and have another call at once, are in the next run then, and not in the one after.
const yields = 3

// ErrQueue is what a call gets that has waited for MaxWait.
var ErrQueue = fmt.Errorf(
	"it has waited for %v for those before it: %w", MaxWait, context.DeadlineExceeded)

// ErrClosed is what a call gets after Close.
var ErrClosed = errors.New("the batcher is closed")

// NotDone says that a call was given up before it was under way: it has had no effect.
type NotDone struct{ Reason error }

func (e *NotDone) Error() string { return e.Reason.Error() }
func (e *NotDone) Unwrap() error { return e.Reason }

// Call is what one caller has asked for. The run sets Results and Err.
type Call[T, R any] struct {
	Items   []T
	Results []R
	Err     error

	size    int // in bytes, about
	done    chan struct{}
	element *list.Element // in waiting; nil once the call is under way
}

// Batcher joins calls. Make one with [New]. It is safe for concurrent use.
type Batcher[T, R any] struct {
	run   func(calls []*Call[T, R])
	every time.Duration
	began time.Time     // when the last run did; only the loop has it
	hurry chan struct{} // one slot: something that waits is awaited

	mu      sync.Mutex // guards all below
	waiting list.List  // of *Call[T, R]
	running bool
	closed  bool
	idle    sync.WaitGroup // of loops; added to under mu
}

// New returns a Batcher that has calls done by run. One run goes on at a time. If none of the calls
// is awaited, it begins no sooner than every after the one before began, so that more share it.
func New[T, R any](run func(calls []*Call[T, R]), every time.Duration) *Batcher[T, R] {
	return &Batcher[T, R]{run: run, every: every, hurry: make(chan struct{}, 1)}
}

// Do has the items done, perhaps together with those of others; size is about how many bytes they
// have, and awaited says that something goes on only once they are done. It returns when ctx ends:
// what waits then is never done, and the error is a [NotDone]; the effect of what is under way is
// not known.
func (b *Batcher[T, R]) Do(ctx context.Context, items []T, size int, awaited bool) ([]R, error) {
	c := &Call[T, R]{Items: items, size: size, done: make(chan struct{})}
	if err := b.add(c, awaited); err != nil {
		return nil, &NotDone{err}
	}
	timer := time.NewTimer(MaxWait)
	defer timer.Stop()
	select {
	case <-c.done:
		return c.Results, c.Err
	case <-ctx.Done():
		return nil, b.giveUp(c, ctx.Err())
	case <-timer.C:
		return nil, b.giveUp(c, ErrQueue)
	}
}

// giveUp takes a call that nobody waits for any more out of the queue, unless it is under way. It
// returns why.
func (b *Batcher[T, R]) giveUp(c *Call[T, R], why error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.element == nil {
		return why
	}
	b.waiting.Remove(c.element)
	c.element = nil
	return &NotDone{why}
}

func (b *Batcher[T, R]) add(c *Call[T, R], awaited bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	c.element = b.waiting.PushBack(c)
	if awaited {
		b.endPause()
	}
	// next sets running to false in the critical section in which it finds nothing waiting, so no
	// call is left behind by a loop that is about to end.
	if !b.running {
		b.running = true
		b.idle.Go(b.loop)
	}
	return nil
}

// loop runs what waits until nothing does.
func (b *Batcher[T, R]) loop() {
	for {
		b.pause()
		calls := b.next()
		if calls == nil {
			return
		}
		b.began = time.Now()
		b.run(calls)
		for _, c := range calls {
			close(c.done)
		}
		for range yields {
			runtime.Gosched()
		}
	}
}

// pause lets calls gather that nobody waits for. One that was awaited in a run before may end it
// early: that run took it along and left the slot filled.
func (b *Batcher[T, R]) pause() {
	left := time.Until(b.began.Add(b.every))
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.hurry:
	}
}

func (b *Batcher[T, R]) endPause() {
	select {
	case b.hurry <- struct{}{}:
	default:
	}
}

// next takes calls that go into one run. Nil ends the loop.
func (b *Batcher[T, R]) next() []*Call[T, R] {
	b.mu.Lock()
	defer b.mu.Unlock()
	var calls []*Call[T, R]
	items, size := 0, 0
	for e := b.waiting.Front(); e != nil; e = b.waiting.Front() {
		c := e.Value.(*Call[T, R])
		items, size = items+len(c.Items), size+c.size
		if len(calls) > 0 && (items > MaxItems || size > MaxSize) {
			break
		}
		b.waiting.Remove(e)
		c.element = nil
		calls = append(calls, c)
	}
	b.running = calls != nil
	return calls
}

// Waiting returns how many calls wait.
func (b *Batcher[T, R]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting.Len()
}

// Close refuses further calls and waits for those that were accepted.
func (b *Batcher[T, R]) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.endPause()
	b.idle.Wait()
}
