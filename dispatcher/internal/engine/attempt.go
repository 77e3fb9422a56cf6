package engine

import (
	"context"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// start hands a ticket to a worker that waits, or to a new one. Workers are made as they are needed
// and stay until Run ends.
func (r *run) start(k *ticket) {
	// The channel has no buffer, so this succeeds only if a worker waits. In a buffer, a ticket
	// could wait for the end of an attempt that hangs.
	select {
	case r.work <- k:
		return
	default:
	}
	if r.nworkers == r.Concurrency {
		// There are as many workers as slots, and this ticket has a slot: so one of them has given
		// its slot back and is about to wait.
		r.work <- k
		return
	}
	r.nworkers++
	r.workers.Go(func() {
		r.attempt(k)
		for k := range r.work {
			r.attempt(k)
		}
	})
}

// attempt makes the attempt of a ticket, unless what it is for has changed or Run is being cut off.
// On every way out the outcome goes to the recorder or the claim back to the store, once.
func (r *run) attempt(k *ticket) {
	// Last of all: the slot is what bounds the claims in memory.
	defer r.tickets.close(k)
	c := &k.claim
	// From here to the request there is no wait: admit is what makes a change hold at once.
	if !r.tickets.admit(k) || r.attempts.Err() != nil {
		r.release(k)
		return
	}
	// Before anything is told of an attempt: a delivery that the filter refuses has none.
	wanted, failed := r.Sender.Filter(c)
	switch {
	case failed != nil:
		r.Listener.AttemptStarted(c, failed.Attempt.At)
		r.finish(k, r.outcomeOf(c, k.policy, failed), send.ControlNone)
		return
	case !wanted:
		r.record(k, store.Outcome{
			Lease:   c.Lease,
			Attempt: store.Attempt{Number: c.Attempt, Error: send.ReasonFiltered},
			State:   store.Canceled,
		}, send.ControlNone)
		return
	}
	now := time.Now()
	r.Listener.AttemptStarted(c, now)
	ctx, trace, endSpan := r.startSpan(c, now)
	result := r.Sender.Send(ctx, c, &k.policy.Send, trace)
	// An attempt that was cut off before it had an answer says nothing about the endpoint. With an
	// answer it is recorded, or else the endpoint would get the same event again. This is asked
	// before observe, to which a dial that was cut off would look like a host that is unreachable.
	if r.attempts.Err() != nil && result.Attempt.Status == 0 {
		endSpan(store.Outcome{Attempt: result.Attempt, State: store.Pending})
		r.release(k)
		return
	}
	// Nor does one that failed because our own network is down.
	if r.observe(&result, now.Add(result.Attempt.Duration)) {
		endSpan(store.Outcome{Attempt: result.Attempt, State: store.Pending})
		r.release(k)
		return
	}
	outcome := r.outcomeOf(c, k.policy, &result)
	endSpan(outcome)
	r.finish(k, outcome, result.Asked)
}

// startSpan begins what a Tracer of the host makes of an attempt. Without one, the attempt has the
// context of all, and sends the traceparent that its event was published with. end is never nil.
func (r *run) startSpan(c *store.Claim, at time.Time) (
	ctx context.Context, trace string, end func(store.Outcome),
) {
	ctx, trace = r.attempts, c.Trace
	if r.StartSpan != nil {
		ctx, trace, end = r.StartSpan(ctx, c, store.Attempt{Number: c.Attempt, At: at})
	}
	if end == nil {
		end = func(store.Outcome) {}
	}
	return ctx, trace, end
}

// finish counts and records an attempt. Attempts are counted here, and the states that follow in
// afterOutcome: a request was made also when the store ignores its outcome, as it does when the
// delivery has ended meanwhile.
func (r *run) finish(k *ticket, o store.Outcome, asked send.Control) {
	r.counts.attempts.Add(1)
	r.record(k, o, asked)
}

// record hands an outcome to the recorder, with what the endpoint has asked for. There is room for
// Concurrency of them, so a worker waits here only while the store is so slow that maxRecorders
// calls are under way.
func (r *run) record(k *ticket, o store.Outcome, asked send.Control) {
	r.tickets.attemptDone(k)
	r.outcomes <- recorded{attempted{&k.claim, asked}, o}
}

// release gives a claim back whose attempt did not take place: it is not counted, and claimed anew
// if there is still something to claim. The usual reason is a stop, so it goes by rest, which
// outlives the context of attempts: a claim that is not given back waits until its lease runs out.
func (r *run) release(k *ticket) {
	r.tickets.attemptDone(k)
	persist(r.rest, r, "release", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.Store.Release(ctx, k.claim.Lease)
	})
}
