package groupcommit

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// yields is how often the committer lets others run before a commit that waits for siblings. More
// made no difference with 16, 64 or 256 callers.
const yields = 3

// leadLimit is how long a commit may take for the next caller whose context can end to commit
// itself. A caller can't leave its own commit, so with a disk that is slow or stalls it hands over:
// what that costs is nothing beside such a commit.
const leadLimit = 20 * time.Millisecond

// idleTimeout is how long a goroutine that has committed waits for the next commit before it ends.
// The stack that it has grown is most of what a new one would cost.
const idleTimeout = time.Second

// run is the committer. It ends when nothing is due.
func (g *Group[Tx]) run() {
	for g.commit(nil) {
	}
}

// hand gives what is to be done to the goroutine that lingers, or to a new one: to expect the
// siblings of a turn, or with turn 0 to be the committer.
func (g *Group[Tx]) hand(turn int) {
	select {
	case g.work <- turn:
	default:
		go g.serve(turn)
	}
}

// serve does what hand is given. Of those who have nothing more to do, one lingers.
func (g *Group[Tx]) serve(turn int) {
	var timer *time.Timer
	for {
		if turn == 0 {
			g.run()
		} else {
			g.expect(turn)
		}
		if !g.lingers.CompareAndSwap(false, true) {
			return
		}
		if timer == nil {
			timer = time.NewTimer(idleTimeout)
			defer timer.Stop()
		} else {
			timer.Reset(idleTimeout)
		}
		goesOn := true
		select {
		case turn = <-g.work:
		case <-timer.C:
			goesOn = false
		case <-g.over:
			goesOn = false
		}
		g.lingers.Store(false)
		if !goesOn {
			return
		}
	}
}

// lead commits once, on the goroutine of own's caller. What is left then, another try of a batch
// included, must not hold that caller up.
func (g *Group[Tx]) lead(own *Op[Tx]) {
	if g.commit(own) {
		g.hand(0)
	}
}

// goesOn reports whether something is due. If not, there is no committer any more. g.mu is held.
func (g *Group[Tx]) goesOn() bool {
	g.running, g.siblings = false, 0
	if g.start() {
		return true
	}
	g.changed.Broadcast()
	return false
}

// expect waits for siblings. The callers that a commit has woken are about to come back with more.
// Without waiting for them, the next commit would have the few that arrived meanwhile, and they the
// one after: two convoys that take turns. One that is alone has no siblings. The last of them to
// come begins the next commit; if some don't, expect does, when everybody has had a turn to run. A
// sleep instead was no better, and made a caller wait that has no siblings.
//
// One of those who were woken starts it, and not the committer: a goroutine that yields while
// others are idle is run at once by one of those, before it has taken on any of the woken.
func (g *Group[Tx]) expect(turn int) {
	for range yields {
		runtime.Gosched()
	}
	g.mu.Lock()
	if g.turn != turn || g.siblings == 0 || !g.goesOn() {
		g.mu.Unlock()
		return
	}
	g.mu.Unlock()
	g.run()
}

// passOn does what is left to the caller of an operation that has ended.
func (g *Group[Tx]) passOn(o *Op[Tx]) {
	if o.baton > 0 {
		g.hand(o.baton)
	}
}

// commit commits what is due in one transaction, and reports whether the committer goes on. own is
// the operation whose caller runs it, or nil.
//
// When an operation fails after it has written, it ends, and the others are tried again, without
// newcomers: one of those could make each try fail.
func (g *Group[Tx]) commit(own *Op[Tx]) (goesOn bool) {
	batch, failedOp, effects, err := g.transact()
	if failedOp != nil {
		rest := slices.DeleteFunc(batch, func(o *Op[Tx]) bool { return o == failedOp })
		g.again(rest)
		batch, effects = []*Op[Tx]{failedOp}, nil
		goesOn = len(rest) > 0
	}
	for _, o := range batch {
		// An operation that failed by itself, and has written nothing, keeps its own error.
		if o.err == nil {
			o.err = err
		}
	}
	siblings := g.end(batch, effects, own)
	// With siblings, the last of them or expect is the committer from now on. This goroutine must
	// not look whether something is due: they may be at it already.
	if goesOn || siblings {
		return goesOn
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.goesOn()
}

// transact tries once. failedOp is the operation that failed after it had
// written; then the transaction is rolled back.
func (g *Group[Tx]) transact() (batch []*Op[Tx], failedOp *Op[Tx], effects func(), err error) {
	start := time.Now()
	begun := false
	err = protect(func() (err error) {
		effects, err = g.config.Transact(func(tx Tx) error {
			// Only now: while the transaction could not begin, its operations could be taken out,
			// and others join.
			begun, batch = true, g.take()
			for _, o := range batch {
				intact := false
				o.err = protect(func() (err error) {
					intact, err = g.config.Do(tx, o.Do)
					return err
				})
				if o.err != nil && !intact {
					failedOp = o
					return o.err
				}
			}
			return nil
		})
		return err
	})
	// Else they would wait for a next try that may fail in the same way.
	if !begun { // nothing was done, and those who wait are told why
		batch = g.take()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inTx = false
	// By the last commit alone: one that is quick again ends the handing over.
	g.slow = time.Since(start) > leadLimit
	g.changed.Broadcast()
	return batch, failedOp, effects, err
}

// take returns what a transaction that has begun is to have. That can be nothing, if all have left
// by then.
func (g *Group[Tx]) take() (batch []*Op[Tx]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inTx = true
	switch {
	case g.retry != nil:
		batch = slices.DeleteFunc(g.retry, func(o *Op[Tx]) bool { return o.state == ended })
		g.retry = nil
	case g.waiting.first != nil:
		batch = g.takeDue()
	case g.final != nil:
		batch, g.final = []*Op[Tx]{g.final}, nil
	}
	for _, o := range batch {
		if o.err = nil; o.state == waiting {
			o.state = taken
		}
	}
	return batch
}

// takeDue takes from the queue: all that is urgent, and of the rest what is to ride along.
func (g *Group[Tx]) takeDue() (batch []*Op[Tx]) {
	ride := g.closed || g.waiting.records >= g.config.RideRecords
	if o := g.waiting.firstDeferred(); o != nil && !ride {
		// the younger ones too, so that they need no commit soon
		ride = !time.Now().Before(o.mayFlushAt)
	}
	batch = make([]*Op[Tx], 0, g.waiting.urgent+1)
	for o := g.waiting.first; o != nil; {
		next := o.next
		if ride || !o.deferred() || o.NextCommit {
			g.waiting.remove(o)
			batch = append(batch, o)
		}
		o = next
	}
	return batch
}

// again has operations wait for another try, which they can leave as any other.
func (g *Group[Tx]) again(ops []*Op[Tx]) {
	if len(ops) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retry = ops
	for _, o := range ops {
		if o.state == taken {
			o.state = waiting
		}
	}
}

// end has memory follow a transaction, and tells everybody how it ended. It reports whether there
// are siblings. own is the operation whose caller runs it, or nil.
func (g *Group[Tx]) end(batch []*Op[Tx], effects func(), own *Op[Tx]) (siblings bool) {
	if len(batch) == 0 && effects == nil {
		return false
	}
	err := protect(func() error {
		g.config.Mu.Lock()
		defer g.config.Mu.Unlock()
		if effects != nil {
			effects()
		}
		for _, o := range batch {
			if o.Ended != nil {
				o.Ended(o.err)
			}
		}
		return nil
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn++
	woken := 0
	var last *Op[Tx] // whose caller runs first: the one that was woken last does
	for _, o := range batch {
		if o.state == taken && !o.deferred() {
			woken++
			if o != own { // that one runs before the woken do: see expect
				last = o
			}
		}
	}
	if siblings = woken > 1 && !g.closed; siblings {
		g.siblings, last.baton = woken+g.waiting.urgent, g.turn
	}
	for _, o := range batch {
		if o.err == nil {
			o.err = err
		}
		o.state = ended
		close(o.done)
	}
	return siblings
}

// protect turns a panic into an error. On the committer's goroutine it would end the process, and
// on nobody's behalf.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("groupcommit: panic: %v", p)
		}
	}()
	return f()
}
