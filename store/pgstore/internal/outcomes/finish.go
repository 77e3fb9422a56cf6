package outcomes

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/batcher"
	"github.com/outhook/outhook/store/pgstore/internal/counts"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
)

// Recorder records outcomes. Make one with [New]. It is safe for concurrent use.
//
// It writes for any share, its own or not. Only what it tells memory of is its own.
type Recorder struct {
	*replica.Replica
	counts *counts.Counts
	joined *batcher.Batcher[*outcome, store.Result]
}

// Apart is how long after one transaction with outcomes the next may begin, if nothing waits for
// them: the requests are over, and the leases of those that succeeded count no more. Without it, as
// many transactions record outcomes as store events, each for a dozen, and most of what one costs
// is fixed. A host that is killed sends again what the last few milliseconds had not recorded.
const Apart = 5 * time.Millisecond

// New returns the recorder of a replica, which counts attempts in counts; apart is Apart. One run
// of joined calls goes on at a time, so two transactions of Finish never wait for each other's rows
// in one replica.
func New(r *replica.Replica, counts *counts.Counts, apart time.Duration) *Recorder {
	rec := &Recorder{Replica: r, counts: counts}
	rec.joined = batcher.New(rec.finishJoined, apart)
	return rec
}

// Waiting returns how many calls of Finish wait for their turn.
func (r *Recorder) Waiting() int { return r.joined.Waiting() }

// Close waits for what is under way. Later calls of Finish get batcher.ErrClosed.
func (r *Recorder) Close() { r.joined.Close() }

// Finish records outcomes. Calls that come while others are on their way to the disk share one
// transaction.
func (r *Recorder) Finish(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	if len(outcomes) == 0 {
		return nil, nil
	}
	own := make([]*outcome, len(outcomes))
	// The batcher bounds what goes into one transaction by it.
	size := 0
	for i := range outcomes {
		own[i] = newOutcome(&outcomes[i])
		size += own[i].size()
	}
	// Before they wait for their turn, which may be long: a lease must not run out in the queue.
	awaited := r.seal(own)
	results, err := r.joined.Do(ctx, own, size, awaited)
	// Once it is under way finishJoined sees to the leases, also if the caller has left. With any
	// other error it is under way or over, and its goroutine may be reading own right now.
	if notDone := (*batcher.NotDone)(nil); errors.As(err, &notDone) {
		r.unseal(own)
		err = notDone.Reason
	}
	return results, err
}

// seal finds the leases of outcomes. Those of successes no longer count against the limits of
// Claim: the requests are over. Failures count until they are recorded, so that the next Claim goes
// by the health that they leave. So something may wait for a failure, and what comes after it in
// its key for any outcome: then awaited.
func (r *Recorder) seal(outcomes []*outcome) (awaited bool) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := r.Clock.Now()
	for _, o := range outcomes {
		l := r.Memory.Present(o.Token, o.SubscriptionID, o.EventID)
		// A void token is no error here: a success may still count, by the rows alone.
		if l == nil {
			continue
		}
		r.Memory.Schedule.Seal(l, o.state == store.Delivered, now)
		// The fence is that of now. If the share changes hands before the transaction, its fence is
		// another.
		o.lease, o.share = l, memory.ShareOf(l.Sub.Num)
		o.fence = r.Memory.Fence(o.share)
		awaited = awaited || o.state != store.Delivered || l.Data.Key != ""
	}
	return awaited
}

// unseal gives leases back whose outcomes were not recorded. One that has ended meanwhile, recorded
// by an earlier transaction or lost with its share, stays so.
func (r *Recorder) unseal(outcomes []*outcome) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	for _, o := range outcomes {
		if o.lease != nil {
			r.Memory.Schedule.Unseal(o.lease)
			o.lease = nil
		}
	}
}

// release ends the leases of outcomes that were ignored. Those of the recorded have ended already.
// An ignored outcome may have come from a lease that is good, of a delivery that was requeued or
// erased: nobody else would give it back.
func (r *Recorder) release(outcomes []*outcome) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := r.Clock.Now()
	for _, o := range outcomes {
		if o.lease != nil {
			r.Memory.Schedule.Release(o.lease, now)
		}
	}
}

// finishJoined records the outcomes of several callers. If anything fails all get the error, though
// the simple ones may be recorded by then: to call again with the same outcomes is safe.
func (r *Recorder) finishJoined(calls []*batcher.Call[*outcome, store.Result]) {
	ctx := context.Background() // each transaction has its bound
	var all []*outcome
	for _, c := range calls {
		all = append(all, c.Items...)
	}
	// Over all callers together: two of them may have outcomes of one subscription.
	r.sort(all)
	results := make([]store.Result, len(all))
	// Simple ones first. What they leave goes with the rest, so conclude must know what they have
	// recorded.
	err := r.finishSimple(ctx, all, results)
	if err == nil {
		err = r.conclude(ctx, all, results)
	}
	if err != nil {
		r.unseal(all)
	} else {
		r.release(all)
	}
	for _, c := range calls {
		n := len(c.Items)
		c.Err = err
		if err == nil {
			// The capacity ends there too: a caller that appends must not write into the next one's
			// results.
			c.Results = results[:n:n]
		}
		results = results[n:]
	}
}
