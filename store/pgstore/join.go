package pgstore

import (
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// joined joins calls: what is asked for while transactions are under way goes into the next one
// together. It waits for nothing else, so a lone caller loses no time. One statement for many is
// what makes PostgreSQL fast.
type joined[T, R any] struct {
	run func(ctx context.Context, calls []*call[T, R])

	mu      sync.Mutex // guards all below
	waiting list.List  // of *call[T, R]
	running int
	limit   int
	closed  bool
	idle    sync.WaitGroup // of runs; added to under mu
}

// call is what one caller asked for and what came of it.
type call[T, R any] struct {
	items   []T
	size    int // in bytes, about
	results []R
	err     error
	done    chan struct{}
	place   *list.Element // in waiting; nil once it is under way
}

// How many transactions of a kind are under way at once, and how much goes into one.
const (
	enqueuers   = 1
	finishers   = 1
	joinedItems = 1000
	joinedSize  = 4 << 20
)

func newJoined[T, R any](limit int, run func(context.Context, []*call[T, R])) *joined[T, R] {
	return &joined[T, R]{limit: limit, run: run}
}

// do has the items done in one transaction, perhaps with those of others. When ctx ends it returns:
// what waits then is not done at all, and of what is under way the outcome is not known.
func (j *joined[T, R]) do(ctx context.Context, items []T, size int) ([]R, error) {
	c := &call[T, R]{items: items, size: size, done: make(chan struct{})}
	if err := j.add(c); err != nil {
		return nil, &notDone{err}
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case <-c.done:
		return c.results, c.err
	case <-ctx.Done():
		return nil, j.giveUp(c, ctx.Err())
	case <-timer.C:
		return nil, j.giveUp(c, errQueue)
	}
}

// notDone says that a call was given up before it was under way.
type notDone struct{ error }

func (e *notDone) Unwrap() error { return e.error }

// giveUp takes a call that nobody waits for any more out of the queue, unless it is under way. It
// returns why.
func (j *joined[T, R]) giveUp(c *call[T, R], why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.place == nil {
		return why
	}
	j.waiting.Remove(c.place)
	c.place = nil
	return &notDone{why}
}

func (j *joined[T, R]) add(c *call[T, R]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return store.ErrClosed
	}
	c.place = j.waiting.PushBack(c)
	if j.running < j.limit {
		j.running++
		j.idle.Go(j.loop)
	}
	return nil
}

// loop runs what waits until nothing does.
func (j *joined[T, R]) loop() {
	for {
		calls := j.next()
		if calls == nil {
			return
		}
		j.run(context.Background(), calls) // each transaction has its bound
		for _, c := range calls {
			close(c.done)
		}
		for range yields {
			runtime.Gosched()
		}
	}
}

// yields is how often a loop lets others run before it goes on, so that those whose calls have just
// been done, and have another at once, are in the next transaction and not in the one after.
const yields = 3

// next takes calls that go into one transaction. Nil ends the loop.
func (j *joined[T, R]) next() []*call[T, R] {
	j.mu.Lock()
	defer j.mu.Unlock()
	var calls []*call[T, R]
	items, size := 0, 0
	for e := j.waiting.Front(); e != nil; e = j.waiting.Front() {
		c := e.Value.(*call[T, R])
		items, size = items+len(c.items), size+c.size
		if len(calls) > 0 && (items > joinedItems || size > joinedSize) {
			break
		}
		j.waiting.Remove(e)
		c.place = nil
		calls = append(calls, c)
	}
	if calls == nil {
		j.running--
	}
	return calls
}

// close refuses further calls and waits for those that are under way.
func (j *joined[T, R]) close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.idle.Wait()
}
