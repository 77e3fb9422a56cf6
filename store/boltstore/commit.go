package boltstore

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// op is one operation that writes.
type op struct {
	// run does it in a transaction that it may share with others. It checks everything before it writes, as far as it
	// can, and may run more than once: in a transaction of others when one of them has failed halfway.
	run func(*txn) error

	// settle is told how it ended, under Store.mu, before whoever waits is. It may be nil.
	settle func(error)

	// weight is 0 for an operation that someone waits for, or else how many outcomes it records: it may wait for a
	// commit to ride on.
	weight int

	err    error
	taken  bool          // a commit has it
	leads  bool          // it was asked to lead
	signal chan struct{} // it has ended, or is asked to lead
	ended  bool
}

// The bounds of waiting for a commit to ride on.
const (
	linger    = 5 * time.Millisecond
	maxWeight = 256 // outcomes that are enough for a commit of their own
)

// group lets operations that come while a commit is on its way to the disk share the next. There is no goroutine for
// it and, but for lingering ones, no timer: whoever comes first leads one commit, and asks one of those who came
// meanwhile to lead the next.
type group struct {
	mu      sync.Mutex
	queue   []*op
	weight  int  // of the lingering ones in queue
	leading bool // someone leads
	closed  bool
	idle    sync.Cond // nobody leads; its lock is mu
}

// submit has an operation committed with others, and returns when it is on disk. When ctx ends first, it may or may not
// be done.
func (s *Store) submit(ctx context.Context, o *op) error {
	g := &s.group
	o.signal = make(chan struct{}, 2)
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		s.settleOp(o, store.ErrClosed)
		return store.ErrClosed
	}
	g.queue = append(g.queue, o)
	g.weight += o.weight
	lead := g.tryLead(o.weight == 0)
	g.mu.Unlock()
	if lead {
		s.lead()
		return o.err
	}
	return s.await(ctx, o)
}

// tryLead makes the caller the leader when there is none and something is to be committed now.
func (g *group) tryLead(now bool) bool {
	if g.leading || len(g.queue) == 0 || !now && g.weight < maxWeight {
		return false
	}
	g.leading = true
	return true
}

// await waits for the end of an operation that someone else commits, unless it is asked to lead.
func (s *Store) await(ctx context.Context, o *op) error {
	var late <-chan time.Time
	if o.weight > 0 {
		timer := time.NewTimer(linger)
		defer timer.Stop()
		late = timer.C
	}
	g := &s.group
	for {
		lead := false
		select {
		case <-o.signal:
			g.mu.Lock()
			lead = !o.ended
			g.mu.Unlock()
			if !lead {
				return o.err
			}
		case <-late:
			g.mu.Lock()
			if !o.taken {
				g.weight -= o.weight
				o.weight = 0
				lead = g.tryLead(true)
			}
			g.mu.Unlock()
		case <-ctx.Done():
			var left bool
			if left, lead = s.leave(o, ctx.Err()); left {
				return ctx.Err()
			}
			if !lead {
				return o.err
			}
		}
		if lead {
			s.lead()
			return o.err
		}
	}
}

// leave gives up waiting, because of err. It can't when the operation has just ended, or was asked to lead.
func (s *Store) leave(o *op, err error) (left, lead bool) {
	g := &s.group
	g.mu.Lock()
	if o.leads || o.ended {
		defer g.mu.Unlock()
		return false, !o.ended
	}
	waits := !o.taken
	if waits {
		g.queue = slices.DeleteFunc(g.queue, func(other *op) bool { return other == o })
		g.weight -= o.weight
	}
	g.mu.Unlock()
	if waits {
		s.settleOp(o, err)
	}
	return true, false
}

// lead commits what waits, and then asks one of those who came meanwhile to lead.
func (s *Store) lead() {
	g := &s.group
	g.mu.Lock()
	batch := g.queue
	g.queue, g.weight = nil, 0
	for _, o := range batch {
		o.taken = true
	}
	g.mu.Unlock()

	s.commit(batch)
	waited := 0
	g.mu.Lock()
	for _, o := range batch {
		if o.ended = true; o.weight == 0 {
			waited++
		}
		o.signal <- struct{}{}
	}
	g.mu.Unlock()
	if waited > 1 { // those who have been woken may come back with more: let them share the next commit
		for range 3 {
			runtime.Gosched()
		}
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.leading = false
	now := g.closed || slices.ContainsFunc(g.queue, func(o *op) bool { return o.weight == 0 })
	if g.tryLead(now) {
		g.queue[0].leads = true
		g.queue[0].signal <- struct{}{}
		return
	}
	g.idle.Broadcast()
}

// closeGroup commits what waits and lets nothing more in.
func (s *Store) closeGroup() {
	g := &s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.tryLead(true) {
		g.mu.Unlock()
		s.lead()
		g.mu.Lock()
	}
	for g.leading {
		g.idle.Wait()
	}
}

// settleOp tells an operation how it ended.
func (s *Store) settleOp(o *op, err error) {
	o.err = err
	if o.settle != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.settle(err)
	}
}
