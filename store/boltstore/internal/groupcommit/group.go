package groupcommit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Group commits operations together. Make one with [New]. It is safe for concurrent use.
type Group[Tx any] struct {
	config Config[Tx]

	mu      sync.Mutex
	waiting queue[Tx]
	// what the next transaction has: the last one was rolled back for another's sake
	retry   []*Op[Tx]
	final   *Op[Tx] // what Close commits last
	running bool    // there is a committer, or is to be one when the siblings are there
	inTx    bool    // its transaction has begun: it is past what others can block
	closed  bool
	turn    int  // counts commits
	slow    bool // the last commit took longer than leadLimit

	// siblings is how many urgent operations the next commit waits for, see expect; 0 if it does
	// not.
	siblings int

	changed sync.Cond // running or inTx has become false; its lock is mu

	timer *time.Timer // for deferred operations while there is no committer
	armed bool

	work    chan int      // to the goroutine that lingers; see hand
	over    chan struct{} // closed by Close: nobody lingers any more
	lingers atomic.Bool   // there is one that does
}

// New returns a group that commits as c says.
func New[Tx any](c Config[Tx]) *Group[Tx] {
	g := &Group[Tx]{config: c, work: make(chan int), over: make(chan struct{})}
	g.changed.L = &g.mu
	return g
}

// Submit has an operation committed with others. It returns nil once that is on disk, and the
// operation's own error, or the commit's, if it is not done. After an error of the commit it may
// be done nevertheless.
//
// When ctx ends, Submit returns its error at once, or, if it is committing itself (see
// [Config.Exclusive]), when that transaction has ended. If the operation had to wait until then, it
// is never done; if a transaction had it already, it may or may not be done.
func (g *Group[Tx]) Submit(ctx context.Context, o *Op[Tx]) error {
	if err := ctx.Err(); err != nil {
		g.refuse([]*Op[Tx]{o}, err)
		return err
	}
	o.done = make(chan struct{})
	if o.deferred() {
		now := time.Now()
		o.mayFlushAt, o.mustFlushAt = now.Add(g.config.MaxDelay/2), now.Add(g.config.MaxDelay)
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		g.refuse([]*Op[Tx]{o}, g.config.Closed)
		return g.config.Closed
	}
	g.waiting.add(o)
	begin := g.start()
	// A caller that leads can't leave. So after a slow commit, one that may want to leave does not
	// lead.
	lead := begin && g.config.Exclusive && (!g.slow || ctx.Done() == nil)
	g.mu.Unlock()
	switch {
	case lead:
		g.lead(o)
	case begin:
		g.hand(0)
	}
	select {
	case <-o.done:
		g.passOn(o)
		return o.err
	case <-ctx.Done():
		return g.leave(o, ctx.Err())
	}
}

// leave gives up waiting, because of err.
func (g *Group[Tx]) leave(o *Op[Tx], err error) error {
	g.mu.Lock()
	switch o.state {
	case ended: // just now: that it is known how is worth more than err
		g.mu.Unlock()
		g.passOn(o)
		return o.err
	case taken:
		// The transaction can't do without it any more. The memory that Do writes to, and Ended,
		// stays the transaction's; the caller only stops waiting.
		o.state = abandoned
		g.mu.Unlock()
		return err
	}
	// It waits, so no transaction has it or will: it is never done.
	if g.config.Blocked != "" && g.running && !g.inTx {
		err = fmt.Errorf("%w %s", err, g.config.Blocked)
	}
	g.waiting.remove(o)
	o.state = ended // which is how the next try knows, if it waits for that
	g.mu.Unlock()
	g.refuse([]*Op[Tx]{o}, err)
	return err
}

// refuse ends operations that are never done. No transaction and no queue has them.
func (g *Group[Tx]) refuse(ops []*Op[Tx], err error) {
	g.config.Mu.Lock()
	defer g.config.Mu.Unlock()
	for _, o := range ops {
		if o.Ended != nil {
			o.Ended(err)
		}
	}
}

// start reports whether the caller is to begin a committer, because something is due and there is
// none. If something will be due, a timer does it then. g.mu is held.
func (g *Group[Tx]) start() (begin bool) {
	switch first := g.waiting.firstDeferred(); {
	case g.running && (g.siblings == 0 || g.waiting.urgent < g.siblings && !g.closed):
		// The committer looks again before it ends, or there is expect, which does.
	case g.due():
		// The last of the siblings begins at once: nobody is left to wait for.
		g.running, g.siblings = true, 0
		return true
	case first != nil && !g.armed:
		g.armed = true
		// Only the first of the deferred arms the timer, and it isn't set again for each. It may go
		// off early, when that one has gone: then it is armed for the one that is first by then.
		if wait := time.Until(first.mustFlushAt); g.timer == nil {
			g.timer = time.AfterFunc(wait, g.expire)
		} else {
			g.timer.Reset(wait)
		}
	}
	return false
}

// expire is called by the timer.
func (g *Group[Tx]) expire() {
	g.mu.Lock()
	g.armed = false
	begin := g.start()
	g.mu.Unlock()
	if begin {
		g.hand(0)
	}
}

// due reports whether something is to be committed now. g.mu is held.
func (g *Group[Tx]) due() bool {
	switch o := g.waiting.firstDeferred(); {
	case g.waiting.urgent > 0, g.waiting.records >= g.config.FlushRecords && o != nil:
		return true
	case g.closed:
		return o != nil || g.final != nil
	default:
		return o != nil && !time.Now().Before(o.mustFlushAt)
	}
}

// Close lets nothing more in, commits what waits and then, in a transaction of its own, final, if
// that is not nil. It returns when the committer is done.
//
// If ctx ends while the transaction can't begin, because others have theirs, Close refuses what
// waits, with Config.Closed, and returns ctx's error. The committer is left blocked; it does
// nothing when it can go on. Close does not cut off a transaction that has begun. Calling Close
// again waits too.
func (g *Group[Tx]) Close(ctx context.Context, final *Op[Tx]) error {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changed.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.over)
		if g.final = final; final != nil {
			final.done = make(chan struct{})
		}
	}
	if begin := g.start(); begin && g.config.Exclusive {
		g.mu.Unlock()
		g.run()
		g.mu.Lock()
	} else if begin {
		g.hand(0)
	}
	// A transaction that has begun is past what others can block, so it is waited for even when ctx
	// has ended.
	for g.running && (g.inTx || ctx.Err() == nil) {
		g.changed.Wait()
	}
	if g.timer != nil {
		g.timer.Stop()
	}
	if !g.running {
		g.mu.Unlock()
		return nil
	}
	rest := g.takeRest()
	g.mu.Unlock()
	g.refuse(rest, g.config.Closed)
	for _, o := range rest {
		close(o.done)
	}
	return ctx.Err()
}

// takeRest takes out all that waits. g.mu is held.
func (g *Group[Tx]) takeRest() (rest []*Op[Tx]) {
	// Those whose callers have left are ended already.
	for _, o := range g.retry {
		if o.state != ended {
			rest = append(rest, o)
		}
	}
	for g.waiting.first != nil {
		o := g.waiting.first
		g.waiting.remove(o)
		rest = append(rest, o)
	}
	if g.final != nil {
		rest = append(rest, g.final)
	}
	g.retry, g.final = nil, nil
	for _, o := range rest {
		o.state, o.err = ended, g.config.Closed
	}
	return rest
}
