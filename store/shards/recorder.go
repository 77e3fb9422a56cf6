package shards

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	// maxWaiting is how many calls of Finish wait for one shard at a time, and slotWait how long
	// another waits to be one of them. A dispatcher makes a bounded number of calls at once, which
	// a slow shard must not use up.
	maxWaiting = 16
	slotWait   = 250 * time.Millisecond

	recordWait  = 5 * time.Second // how long a Finish waits for a shard
	releaseWait = time.Second     // and a Release, which costs no commit as a rule

	maxKept     = 65536 // outcomes and leases that are kept for a shard in trouble
	recordBatch = 256
)

// recorder records outcomes that their shard could not take when they came, and gives leases back
// likewise.
type recorder struct {
	waiting chan struct{} // has maxWaiting slots; made by New

	mu       sync.Mutex // guards all below
	outcomes []store.Outcome
	leases   []store.Lease
	running  bool
}

// finish records outcomes in their shard. If that fails or takes too long, they are kept and
// recorded later, and there are no results. An error is what a shard that works says of them.
func (s *Store) finish(
	ctx context.Context, sh *shard, outcomes []store.Outcome,
) ([]store.Result, error) {
	ok, err := sh.recorder.begin(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, s.keep(sh, outcomes, nil)
	}
	defer func() { <-sh.recorder.waiting }()
	done := make(chan answer[[]store.Result], 1)
	if !s.start(func() {
		results, err := guard(func() ([]store.Result, error) {
			return sh.Finish(s.life, outcomes...)
		})
		if err != nil && !isAnswer(err) {
			sh.trouble.Store(&Error{sh.index, err})
			results, err = nil, s.keep(sh, outcomes, nil)
		}
		done <- answer[[]store.Result]{results, err}
	}) {
		return nil, store.ErrClosed
	}
	timer := time.NewTimer(recordWait)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.out, a.err
	case <-timer.C:
		sh.trouble.Store(&Error{sh.index, errSlowFinish})
		return nil, nil // the call goes on
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errSlowFinish = fmt.Errorf("a Finish has not returned for %v", recordWait)

// begin takes one of the slots of those that wait for the shard; ok is false if there is none for
// too long.
func (rec *recorder) begin(ctx context.Context) (ok bool, err error) {
	select {
	case rec.waiting <- struct{}{}:
		return true, nil
	default:
	}
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case rec.waiting <- struct{}{}:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// release gives leases back to their shard. It never fails: if the shard does, they are kept, and
// given back when it works again, or run out.
func (s *Store) release(ctx context.Context, sh *shard, leases []store.Lease) error {
	done := make(chan struct{})
	if !s.start(func() {
		defer close(done)
		_, err := guard(func() (struct{}, error) {
			return struct{}{}, sh.Release(s.life, leases...)
		})
		if err != nil {
			_ = s.keep(sh, nil, leases)
		}
	}) {
		return store.ErrClosed
	}
	timer := time.NewTimer(releaseWait)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep keeps outcomes and leases for later. It returns an error if there are too many.
func (s *Store) keep(sh *shard, outcomes []store.Outcome, leases []store.Lease) error {
	rec := &sh.recorder
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.outcomes)+len(rec.leases)+len(outcomes)+len(leases) > maxKept {
		return &Error{sh.index, fmt.Errorf("it has not taken %d outcomes, and no more are kept",
			len(rec.outcomes))}
	}
	rec.outcomes = append(rec.outcomes, outcomes...)
	rec.leases = append(rec.leases, leases...)
	if !rec.running {
		rec.running = s.start(func() { s.record(sh) })
	}
	return nil
}

// record records what is kept for a shard, until nothing is left or the Store is closed.
func (s *Store) record(sh *shard) {
	delay := retryFirst
	for {
		outcomes, leases, more := sh.recorder.next()
		if !more {
			return
		}
		if s.recordOnce(sh, outcomes, leases) {
			delay = retryFirst
			s.wake() // there may be room in the limits of Claim
			continue
		}
		sh.recorder.putBack(outcomes, leases)
		timer := time.NewTimer(delay)
		select {
		case <-s.life.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		delay = min(2*delay, retryMax)
	}
}

// recordOnce reports whether a shard has taken what was kept for it, or never will.
func (s *Store) recordOnce(sh *shard, outcomes []store.Outcome, leases []store.Lease) bool {
	_, err := guard(func() ([]store.Result, error) {
		if len(leases) > 0 {
			if err := sh.Release(s.life, leases...); err != nil {
				return nil, err
			}
		}
		if len(outcomes) == 0 {
			return nil, nil
		}
		return sh.Finish(s.life, outcomes...)
	})
	return err == nil || isAnswer(err) && s.life.Err() == nil
}

// next takes some of what is kept. more is false if there is none: the caller ends.
func (rec *recorder) next() (outcomes []store.Outcome, leases []store.Lease, more bool) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	n := min(len(rec.outcomes), recordBatch)
	outcomes, rec.outcomes = rec.outcomes[:n:n], rec.outcomes[n:]
	leases, rec.leases = rec.leases, nil
	rec.running = len(outcomes)+len(leases) > 0
	return outcomes, leases, rec.running
}

func (rec *recorder) putBack(outcomes []store.Outcome, leases []store.Lease) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.outcomes = append(outcomes, rec.outcomes...)
	rec.leases = append(leases, rec.leases...)
}
