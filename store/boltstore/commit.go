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

	// weight is 0 for an operation that someone waits for, or else how many outcomes it records: it lingers, for a
	// commit to ride on. Unless it is eager, it lets those go by that come first, so that more ride together.
	weight int
	eager  bool
	ripe   bool // it has let enough go by
	late   bool // it has lingered for as long as it may

	err    error
	taken  bool          // a commit has it
	leads  bool          // it leads, or was asked to
	signal chan struct{} // it has ended, or is asked to lead
	ended  bool
}

// The bounds of waiting for a commit to ride on.
const (
	linger    = 5 * time.Millisecond
	ripening  = linger / 2
	minWeight = 32  // outcomes that are enough to ride without ripening: a commit that has some writes a few pages more
	maxWeight = 256 // outcomes that are enough for a commit of their own
)

// group lets operations that come while a commit is on its way to the disk share the next. There is no timer for it but
// for lingering ones: whoever comes first leads one commit, and sees to it that one of those who come meanwhile leads the
// next.
type group struct {
	mu      sync.Mutex
	queue   []*op
	weight  int  // of the lingering ones in queue
	ripe    int  // how many of those let no commit go by
	late    int  // how many of those must linger no more
	urgent  int  // how many are in queue that do not linger
	leading bool // someone leads, or is to when the company is there
	turn    int  // counts commits
	company int  // how many urgent ones are expected for the next commit; 0 when it does not wait for them
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
	if o.weight == 0 {
		g.urgent++
	}
	lead := g.tryLead(o.weight == 0) || g.complete()
	o.leads = lead
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

// complete makes the caller the leader when it is the last of the company that the next commit waits for.
func (g *group) complete() bool {
	if g.company == 0 || g.urgent < g.company {
		return false
	}
	g.company = 0
	return true
}

// take returns what the next commit is to have.
func (g *group) take() (batch []*op) {
	all := g.closed || g.weight >= minWeight || g.ripe > 0
	var stay []*op
	for _, o := range g.queue {
		if all || o.weight == 0 || o.eager || o.leads {
			o.taken = true
			g.weight -= o.weight
			batch = append(batch, o)
		} else {
			stay = append(stay, o)
		}
	}
	g.queue, g.urgent, g.ripe, g.late = stay, 0, 0, 0
	return batch
}

// await waits for the end of an operation that someone else commits, unless it is asked to lead.
func (s *Store) await(ctx context.Context, o *op) error {
	var timer *time.Timer
	var lingered <-chan time.Time
	if o.weight > 0 {
		timer = time.NewTimer(ripening)
		defer timer.Stop()
		lingered = timer.C
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
		case <-lingered:
			g.mu.Lock()
			lead = g.lingered(o)
			g.mu.Unlock()
			timer.Reset(linger - ripening)
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

// lingered says that an operation is ripe, or late when it was ripe already, and reports whether it leads now.
func (g *group) lingered(o *op) (lead bool) {
	switch {
	case o.taken:
	case !o.ripe:
		o.ripe = true
		g.ripe++
	case !o.late:
		o.late = true
		g.late++
		if lead = g.tryLead(true); lead {
			o.leads = true
		}
	}
	return lead
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
		switch {
		case o.weight == 0:
			g.urgent--
		case o.late:
			g.late--
			g.ripe--
		case o.ripe:
			g.ripe--
		}
	}
	g.mu.Unlock()
	if waits {
		s.settleOp(o, err)
	}
	return true, false
}

// lead commits what waits, and sees to it that someone leads the next. Those whom it wakes may come back with more: the
// next commit waits for as many as have been woken and wait already, but not for long.
func (s *Store) lead() {
	g := &s.group
	g.mu.Lock()
	batch := g.take()
	g.mu.Unlock()

	s.commit(batch)
	waited := 0
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range batch {
		if o.ended = true; o.weight == 0 {
			waited++
		}
		o.signal <- struct{}{}
	}
	if g.turn++; waited > 1 {
		g.company = waited + g.urgent
		go g.expect(g.turn)
		return
	}
	g.pass()
}

// expect has the next commit begin when its company has not come by the time that everybody has had a turn to run.
func (g *group) expect(turn int) {
	for range 3 {
		runtime.Gosched()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn == turn && g.company > 0 {
		g.company = 0
		g.pass()
	}
}

// pass asks one of those who wait to lead, when something is to be committed now. g.mu is held.
func (g *group) pass() {
	g.leading = false
	if !g.tryLead(g.closed || g.urgent+g.late > 0) {
		g.idle.Broadcast()
		return
	}
	next := g.queue[0]
	if i := slices.IndexFunc(g.queue, func(o *op) bool { return o.weight == 0 || o.late }); i > 0 {
		next = g.queue[i]
	}
	next.leads = true
	next.signal <- struct{}{}
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
