package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// With 16 calls at once, all of them could wait out the 5 ms after which boltstore commits a few
// outcomes that nobody else's commit has taken along. With 64, and more outcomes to a commit of
// their own there, a delivery cost a third fewer syncs.
const (
	maxRecordBatch = 256 // outcomes in one store.Finish
	maxRecorders   = 64  // store.Finish calls at once
)

// batch is outcomes that are recorded together.
type batch struct {
	of       []attempted // of each outcome
	outcomes []store.Outcome
}

// recordLoop records outcomes until there are no more. It takes those that are there and does not
// wait for one batch to be recorded before it begins the next: a lease stops counting against its
// subscription's limit as soon as Finish is called, not when the disk has it.
func (r *run) recordLoop() {
	// Recorders are made as they are needed and stay: a call of the store goes deep, and the stack
	// that a new goroutine grows for it, batch after batch, was 3 % of what 16 publishers cost.
	batches := make(chan batch) // to recorders that wait
	var recorders sync.WaitGroup
	n := 0
	for first := range r.outcomes {
		runtime.Gosched() // attempts that are about to end can share the call
		b := r.gather(first)
		select {
		case batches <- b:
			continue
		default:
		}
		if n == maxRecorders {
			batches <- b
			continue
		}
		n++
		recorders.Go(func() {
			r.recordBatch(b)
			for b := range batches {
				r.recordBatch(b)
			}
		})
	}
	close(batches)
	recorders.Wait()
}

// gather returns first and what else is there already. It waits for nothing: an outcome that comes
// alone is recorded alone, as in a host with little to do.
func (r *run) gather(first recorded) batch {
	n := min(1+len(r.outcomes), maxRecordBatch)
	of, outcomes := make([]attempted, 0, n), make([]store.Outcome, 0, n)
	for next, ok := first, true; ok; {
		of, outcomes = append(of, next.attempted), append(outcomes, next.outcome)
		if len(outcomes) == maxRecordBatch {
			break
		}
		select {
		case next, ok = <-r.outcomes:
		default:
			ok = false
		}
	}
	return batch{of, outcomes}
}

// recordBatch records outcomes, trying again while the store is in trouble, and does what follows.
// The Listener is told only after the store has them, so that nothing it has heard of can be undone
// by a crash.
func (r *run) recordBatch(b batch) {
	of, outcomes := b.of, b.outcomes
	results, err := persist(r.rest, r, "finish", func(ctx context.Context) ([]store.Result, error) {
		return r.Store.Finish(ctx, outcomes...)
	})
	if err != nil {
		r.tickets.wakeClaimer() // if the store is closed, claimLoop finds out
		r.Logger.Error("outhook: outcomes were not recorded; their deliveries will be attempted again",
			"outcomes", len(outcomes), "error", err)
		for i := range outcomes {
			r.logAttempt(of[i].claim, &outcomes[i], nil)
		}
		return
	}
	// The store tells Ready of room that Finish made when the call begins. A change of health can
	// make more: a breaker that has closed, a subscription that became healthy.
	moved := false
	var opEvents []events.Event
	for i := range results {
		res := &results[i]
		r.logAttempt(of[i].claim, &outcomes[i], res)
		moved = moved || res.Ignored || !sameLimits(res.Before, res.After) ||
			outcomes[i].State == store.Canceled
		if !res.Ignored {
			opEvents = r.afterOutcome(of[i], &outcomes[i], res, opEvents)
		}
	}
	if moved {
		r.tickets.wakeClaimer()
	}
	r.publish(opEvents)
}

// sameLimits reports whether two healths are the same in what decides how much may be claimed. As a
// rule they are one: a success leaves the health as it is.
func sameLimits(a, b *store.Health) bool {
	return a == b || a.Healthy == b.Healthy && a.Failures == b.Failures &&
		a.SlowStart == b.SlowStart && a.NextProbeAt == b.NextProbeAt &&
		a.HeldUntil == b.HeldUntil && a.Pace == b.Pace
}

// afterOutcome does what follows from an outcome that counted, and appends the operational events
// about it.
func (r *run) afterOutcome(
	of attempted, o *store.Outcome, res *store.Result, opEvents []events.Event,
) []events.Event {
	c := of.claim
	if o.State == store.Canceled {
		r.Listener.Canceled(c, o.Attempt.Error)
		return opEvents
	}
	r.counts.add(o.State)
	r.Listener.AttemptRecorded(c, o, res)
	if o.State == store.Dead {
		opEvents = r.appendExhausted(opEvents, of, o)
	}
	switch {
	case of.asked == send.ControlDisable:
		opEvents = r.disable(opEvents, c.Subscription, reasonAsked)
	case isGone(o):
		opEvents = r.disable(opEvents, c.Subscription, reasonGone)
	case r.DisableAfter > 0 && res.After.FailingFor >= r.DisableAfter && r.OutageSince().IsZero():
		// In an outage of our own nothing but failures says nothing of the endpoint.
		opEvents = r.disable(
			opEvents,
			c.Subscription,
			fmt.Sprintf("nothing but failures for %v", r.DisableAfter),
		)
	}
	return opEvents
}

// errChanged keeps disable from changing a subscription. It is final for persist.
var errChanged = errors.New("dispatcher: the subscription has changed since")

// disable unsubscribes a subscription in the sender's name, unless it was subscribed anew or
// pointed elsewhere since the attempt that speaks for it: what the old endpoint answered says
// nothing about the new one.
func (r *run) disable(
	opEvents []events.Event,
	sub *store.Subscription,
	reason string,
) []events.Event {
	change := func(cur *store.Subscription) error {
		if !cur.Collects() || cur.URL != sub.URL ||
			!cur.SubscribedAt.Equal(sub.SubscribedAt) {
			return errChanged
		}
		cur.Status, cur.DisabledReason = store.Unsubscribed, reason
		return nil
	}
	out, err := persist(r.rest, r, "disable", func(ctx context.Context) (store.Subscription, error) {
		return r.Update(ctx, sub.ID, change)
	})
	if err != nil { // it has changed, was deleted, or the store is closed: nothing to tell
		return opEvents
	}
	r.Logger.LogAttrs(context.Background(), slog.LevelWarn, "outhook: subscription disabled",
		append(send.SubscriptionAttrs(sub), slog.String("reason", reason))...)
	r.Listener.Disabled(out)
	return r.appendDisabled(opEvents, &out)
}
