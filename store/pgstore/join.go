package pgstore

import (
	"context"
	"runtime"
	"sync"

	"github.com/outhook/outhook/store"
)

// joined joins calls: what is asked for while transactions are under way goes into the next one together. It waits for
// nothing else, so a lone caller loses no time. One statement for many is what makes PostgreSQL fast.
type joined[T, R any] struct {
	run func(ctx context.Context, calls []*call[T, R])

	mu      sync.Mutex // guards all below
	waiting []*call[T, R]
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

// do has the items done in one transaction, perhaps with those of others. When ctx ends it returns, and the outcome is not
// known.
func (j *joined[T, R]) do(ctx context.Context, items []T, size int) ([]R, error) {
	c := &call[T, R]{items: items, size: size, done: make(chan struct{})}
	if err := j.add(c); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
		return c.results, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (j *joined[T, R]) add(c *call[T, R]) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return store.ErrClosed
	}
	j.waiting = append(j.waiting, c)
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
		ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
		j.run(ctx, calls)
		cancel()
		for _, c := range calls {
			close(c.done)
		}
		for range yields {
			runtime.Gosched()
		}
	}
}

// yields is how often a loop lets others run before it goes on, so that those whose calls have just been done, and have
// another at once, are in the next transaction and not in the one after.
const yields = 3

// next takes calls that go into one transaction. Nil ends the loop.
func (j *joined[T, R]) next() []*call[T, R] {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, items, size := 0, 0, 0
	for n < len(j.waiting) && (n == 0 || items+len(j.waiting[n].items) <= joinedItems && size+j.waiting[n].size <= joinedSize) {
		items, size = items+len(j.waiting[n].items), size+j.waiting[n].size
		n++
	}
	if n == 0 {
		j.running--
		return nil
	}
	calls := j.waiting[:n:n]
	j.waiting = j.waiting[n:]
	if len(j.waiting) == 0 {
		j.waiting = nil
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
