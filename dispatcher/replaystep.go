package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/store"
)

// MaxReplayStep is how many deliveries one ReplayStep makes pending at most.
const MaxReplayStep = 1000

// ReplayResult is what a step of a replay has done.
type ReplayResult struct {
	Replayed int    // deliveries that are pending again
	Next     string // the Cursor of the query for the next step; empty after the last
}

// ReplayStep is one step of a Replay that its caller drives: a page or a job that shows how far it
// is, stops when it is told to, and goes on after a restart. The first step has no Cursor; each
// further one has the Next of the one before it, and the same query otherwise. The steps together
// are of what was published before the first of them, or before q.Until. ReplayCount says what the
// sum of Replayed will be, if nothing changes meanwhile.
//
// A step makes at most q.Limit deliveries pending, or MaxReplayStep if that is less; 500 if q.Limit
// is zero. It may make fewer, or none, and have a Next: the store has read as much as one call may.
// Repeating a step is safe.
//
// It returns errors as Replay does, and for a Cursor that no step has returned. Each step counts as
// a replay in Quota.ReplaysPerMinute, unless q.AnyTenant is set.
func (d *Dispatcher) ReplayStep(ctx context.Context, q store.DeliveryQuery) (ReplayResult, error) {
	if err := replay.ReadCursor(&q); err != nil {
		return ReplayResult{}, err
	}
	if err := check.ReplayStepQuery(&q); err != nil {
		return ReplayResult{}, err
	}
	if !q.AnyTenant {
		if err := d.quotas.AllowReplay(q.Tenant); err != nil {
			return ReplayResult{}, err
		}
	}
	q = replay.Prepare(q, min(q.Limit, MaxReplayStep))
	step, err := replay.Step(ctx, d.store, q)
	if step.Requeued > 0 {
		d.observe.acted(ctx, d.observe.Now, Action{
			Kind: ActionReplay, Tenant: q.Tenant, SubscriptionID: q.SubscriptionID,
			EventID: q.EventID, Count: step.Requeued,
		})
	}
	result := ReplayResult{Replayed: step.Requeued}
	if step.Next != "" {
		result.Next = replay.Cursor(q.Until, step.Next)
	}
	return result, err
}
