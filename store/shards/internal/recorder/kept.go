package recorder

import (
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

const (
	maxKept     = 65536 // outcomes and leases that are kept
	recordBatch = 256

	retryFirst = 50 * time.Millisecond // after the store's first failure
	retryMax   = 5 * time.Second
)

// kept is what the store could not take when it came.
type kept struct {
	mu       sync.Mutex // guards all below
	outcomes []store.Outcome
	leases   []store.Lease
	running  bool // there is a goroutine that records them
}

// keep keeps outcomes and leases for later. It returns an error if there are too many.
func (r *Recorder) keep(outcomes []store.Outcome, leases []store.Lease) error {
	k := &r.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.outcomes)+len(k.leases)+len(outcomes)+len(leases) > maxKept {
		return r.Wrap(fmt.Errorf("it has not taken %d outcomes, and no more are kept",
			len(k.outcomes)))
	}
	k.outcomes = append(k.outcomes, outcomes...)
	k.leases = append(k.leases, leases...)
	if !k.running {
		// Under mu: the goroutine that ends says so under it too, so none is left without one.
		k.running = r.Calls.Start(r.record)
	}
	return nil
}

// record records what is kept, until nothing is left or the group is closed.
func (r *Recorder) record() {
	delay := retryFirst
	for {
		outcomes, leases, more := r.kept.next()
		if !more {
			return
		}
		if r.recordOnce(outcomes, leases) {
			delay = retryFirst
			r.Room()
			continue
		}
		r.kept.putBack(outcomes, leases)
		timer := time.NewTimer(delay)
		select {
		case <-r.Calls.Context().Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		delay = min(2*delay, retryMax)
	}
}

// recordOnce reports whether the store has taken what was kept for it, or never will.
func (r *Recorder) recordOnce(outcomes []store.Outcome, leases []store.Lease) bool {
	life := r.Calls.Context()
	_, err := calls.Guard(func() ([]store.Result, error) {
		if len(leases) > 0 {
			if err := r.store.Release(life, leases...); err != nil {
				return nil, err
			}
		}
		if len(outcomes) == 0 {
			return nil, nil
		}
		return r.store.Finish(life, outcomes...)
	})
	// The end of life looks like an answer, but says nothing of the outcomes.
	return err == nil || calls.IsAnswer(err) && life.Err() == nil
}

// next takes some of what is kept. more is false if there is none: the caller ends.
func (k *kept) next() (outcomes []store.Outcome, leases []store.Lease, more bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := min(len(k.outcomes), recordBatch)
	// Cut to its length: putBack appends to it, and must not write over what follows.
	outcomes, k.outcomes = k.outcomes[:n:n], k.outcomes[n:]
	leases, k.leases = k.leases, nil
	k.running = len(outcomes)+len(leases) > 0
	return outcomes, leases, k.running
}

// putBack puts back what next has returned, before all that has come since.
func (k *kept) putBack(outcomes []store.Outcome, leases []store.Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.outcomes = append(outcomes, k.outcomes...)
	k.leases = append(leases, k.leases...)
}
