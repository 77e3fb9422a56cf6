package calls

import (
	"context"
	"sync"
	"sync/atomic"
)

// Group is the goroutines of one Store. Make one with [NewGroup]. It is safe for concurrent use.
type Group struct {
	life    context.Context // ends with Close
	end     context.CancelFunc
	closed  atomic.Bool
	mu      sync.Mutex // guards working.Add against the Wait of Close
	working sync.WaitGroup
}

// NewGroup returns a Group without goroutines.
func NewGroup() *Group {
	g := new(Group)
	g.life, g.end = context.WithCancel(context.Background())
	return g
}

// Context returns the context of calls that go on when their caller has left. It ends with Close.
func (g *Group) Context() context.Context { return g.life }

// IsClosed reports whether Close has been called.
func (g *Group) IsClosed() bool { return g.closed.Load() }

// Start runs f in a goroutine that Close waits for, and reports whether it does: not after Close.
func (g *Group) Start(f func()) bool {
	// Without the lock, Close could find no goroutine between the look at closed and the Add, and
	// return while f runs.
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed.Load() {
		return false
	}
	g.working.Go(f)
	return true
}

// Close ends the context and waits for the goroutines, or for the end of ctx: one that calls a
// store which hangs must not keep the host from ending. It reports whether it is the first Close;
// any other returns at once.
func (g *Group) Close(ctx context.Context) (first bool) {
	g.mu.Lock()
	first = !g.closed.Swap(true)
	g.mu.Unlock()
	if !first {
		return false
	}
	g.end()
	ended := make(chan struct{})
	go func() {
		g.working.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return true
}
