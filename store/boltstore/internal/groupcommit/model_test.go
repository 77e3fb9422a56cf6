package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

// TestModel has callers, a host that takes the storage now and then, and a disk that fails, at
// random; and holds what became of each operation against what the group promises.
func TestModel(t *testing.T) {
	worlds := 400
	if testing.Short() {
		worlds = 100
	}
	for seed := range worlds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{
					storage: newStorageThat(t, seed%8 < 4),
					random:  rand.New(rand.NewPCG(uint64(seed), 1)),
					calm:    seed%4 == 0,
				}
				w.run()
			})
		})
	}
}

// world is one run of the model. What is random is drawn under mu.
type world struct {
	*storage
	calm bool // no host, no failure and no context that ends: then delays are bounded

	randomMu sync.Mutex
	random   *rand.Rand
	calls    []*call
}

// call is one call of Submit, and what became of it.
type call struct {
	id       int
	kind     kind
	deferred bool
	arrived  time.Time
	deadline time.Time // of its context; zero if it has none
	runs     int
	firstRun time.Time
	by       string    // the goroutine of its caller
	led      time.Time // when its caller began to commit it itself; zero if it did not

	returned time.Time
	err      error
	ended    int // how often Ended was called
	endedErr error
}

type kind int

const (
	good   kind = iota
	clean       // fails before it writes
	dirty       // fails after it has written
	panics      // after it has written
	kindCount
)

func (w *world) below(n int) int {
	w.randomMu.Lock()
	defer w.randomMu.Unlock()
	return w.random.IntN(n)
}

// pause lets some time pass, up to most.
func (w *world) pause(most time.Duration) { <-time.After(time.Duration(w.below(int(most)))) }

func (w *world) run() {
	w.commit = w.randomCommit
	if !w.calm {
		w.begin = func() error {
			if w.below(40) == 0 {
				return errDisk
			}
			return nil
		}
	}
	var callers, host sync.WaitGroup
	stop := make(chan struct{})
	if !w.calm && !w.exclusive {
		host.Go(func() { w.host(stop) })
	}
	for range 1 + w.below(20) {
		callers.Go(func() {
			for range 15 {
				w.pause(4 * time.Millisecond)
				w.submitOne()
			}
		})
	}
	if w.below(2) == 0 { // or else Close comes while they are at it
		callers.Wait()
	} else {
		w.pause(40 * time.Millisecond)
	}
	bound := time.Duration(1+w.below(100)) * time.Millisecond
	ctx, cancel := context.WithTimeout(w.t.Context(), bound)
	defer cancel()
	start := time.Now()
	err := w.group.Close(ctx, nil)
	if took := time.Since(start); err != nil && (took < bound || took > bound+4*commitTime) {
		w.t.Errorf("Close took %v, its context ended after %v", took, bound)
	}
	callers.Wait()
	if n := w.group.Waiting(); n != 0 {
		w.t.Errorf("%d operations wait after Close", n)
	}
	close(stop)
	host.Wait()
	after(time.Minute) // the committer, if Close has left it waiting for the host
	w.check()
}

// host holds the storage now and then, for longer than most contexts last.
func (w *world) host(stop <-chan struct{}) {
	for {
		w.pause(10 * time.Millisecond)
		select {
		case <-stop:
			return
		case w.lock <- struct{}{}:
			w.pause(60 * time.Millisecond)
			<-w.lock
		}
	}
}

// randomCommit takes some time and may fail, with and without having committed.
func (w *world) randomCommit(commit func()) (anyway bool, err error) {
	w.pause(2 * commitTime)
	n := w.below(30)
	switch {
	case w.calm || n > 2:
		commit()
		return true, nil
	case n == 0:
		return false, errDisk
	case n == 1:
		commit()
		return true, errDisk
	}
	panic("commit")
}

// submitOne submits a random operation and notes what becomes of it.
func (w *world) submitOne() {
	c := &call{arrived: time.Now(), by: goroutine()}
	w.randomMu.Lock()
	c.id = len(w.calls)
	w.calls = append(w.calls, c)
	w.randomMu.Unlock()
	o := &groupcommit.Op[*tx]{Do: func(x *tx) error { return w.runOp(c, x) }}
	o.Ended = func(err error) {
		w.checkLocked("Ended")
		c.ended++
		c.endedErr = err
	}
	if w.below(3) == 0 {
		c.deferred = true
		o.Records, o.NextCommit = 1+w.below(40), w.below(3) == 0
	}
	ctx := w.t.Context()
	if w.below(4) == 0 {
		ctx = context.WithoutCancel(ctx) // whose Done is nil
	}
	if !w.calm {
		if w.below(4) == 0 {
			c.kind = kind(w.below(int(kindCount)))
		}
		if w.below(2) == 0 {
			var cancel context.CancelFunc
			c.deadline = c.arrived.Add(time.Duration(1 + w.below(int(30*time.Millisecond))))
			ctx, cancel = context.WithDeadline(ctx, c.deadline)
			defer cancel()
		}
	}
	c.err = w.group.Submit(ctx, o)
	c.returned = time.Now()
	if left := errors.Is(c.err, context.DeadlineExceeded); !left {
		w.mu.Lock()
		defer w.mu.Unlock()
		if c.ended != 1 {
			w.t.Errorf("operation %d returned %v, and Ended was called %d times", c.id, c.err,
				c.ended)
		}
	}
}

// runOp is what an operation does in a transaction.
func (w *world) runOp(c *call, x *tx) error {
	if c.runs++; c.runs == 1 {
		c.firstRun = time.Now()
	}
	if x.by == c.by {
		if !w.exclusive || !c.led.IsZero() {
			w.t.Errorf("operation %d: its caller commits it, again or in a host's storage", c.id)
		}
		c.led = time.Now()
	}
	if c.kind == clean {
		return errOp
	}
	x.wrote = true
	x.ids = append(x.ids, c.id)
	switch c.kind {
	case dirty:
		return errOp
	case panics:
		panic("operation")
	}
	return nil
}

// check holds what became of the operations against what the group promises.
func (w *world) check() {
	t := w.t
	committed := make(map[int]int)
	last := time.Time{}
	for _, ids := range w.done {
		byArrival := func(a, b int) int { return w.calls[a].arrived.Compare(w.calls[b].arrived) }
		if !slices.IsSortedFunc(ids, byArrival) {
			t.Errorf("a transaction has %v, which is not the order of arrival", ids)
		}
		for _, id := range ids {
			committed[id]++
			if c := w.calls[id]; !c.deferred {
				if c.arrived.Before(last) {
					t.Errorf("operation %d was overtaken", id)
				}
				last = c.arrived
			}
		}
	}
	for _, c := range w.calls {
		w.checkCall(c, committed[c.id])
	}
}

func (w *world) checkCall(c *call, committed int) {
	t := w.t
	t.Helper()
	if committed > 1 {
		t.Errorf("operation %d was committed %d times", c.id, committed)
	}
	if c.ended != 1 {
		t.Errorf("operation %d: Ended was called %d times", c.id, c.ended)
	}
	if (c.endedErr == nil) != (committed == 1) && !isUnknown(c.endedErr) {
		t.Errorf("operation %d ended with %v, and was committed %d times", c.id, c.endedErr,
			committed)
	}
	latest := c.deadline
	if end := c.led.Add(2 * commitTime); !c.led.IsZero() && end.After(latest) {
		latest = end // it can't leave the transaction that it commits itself; another try it can
	}
	switch {
	case errors.Is(c.err, context.DeadlineExceeded):
		if c.returned.Before(c.deadline) || c.returned.After(latest) {
			t.Errorf("operation %d returned %v after its deadline", c.id,
				c.returned.Sub(c.deadline))
		}
		if never := errors.Is(c.endedErr, context.DeadlineExceeded); never && committed != 0 {
			t.Errorf("operation %d was taken out and is committed", c.id)
		}
	case !c.deadline.IsZero() && c.returned.After(latest):
		t.Errorf("operation %d returned %v, %v too late", c.id, c.err, c.returned.Sub(c.deadline))
	case c.err == nil && c.kind != good:
		t.Errorf("operation %d has failed, and its caller got nil", c.id)
	}
	if errors.Is(c.err, errClosed) && committed != 0 {
		t.Errorf("operation %d was refused and is committed", c.id)
	}
	if !w.calm || c.err != nil {
		return
	}
	// The commit that is under way when it is due, and the one that it is due in begins after that.
	bound := 2 * commitTime
	if c.deferred {
		bound += maxDelay
	}
	if delay := c.firstRun.Sub(c.arrived); delay > bound {
		t.Errorf("operation %d began %v after its arrival, want at most %v", c.id, delay, bound)
	}
}

// isUnknown reports whether an error leaves open whether a commit is done: the disk's, a panic's.
func isUnknown(err error) bool {
	return err != nil && !errors.Is(err, errOp) && !errors.Is(err, errClosed) &&
		!errors.Is(err, context.DeadlineExceeded)
}
