package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/store"
)

// Redeliver sends an event to a subscription again, at once and with a new set of attempts, in any
// state of the delivery. If the breaker is open, it goes with the next probe. A delivery that waits
// for a retry is made due now and keeps its count. One that is under way, is not to be sent yet
// (Event.NotBefore), or whose event was erased or has expired, is left alone.
//
// It returns store.ErrNotFound if the delivery does not exist, store.ErrConflict if the
// subscription is unsubscribed, and a *QuotaError beyond Quota.ReplaysPerMinute.
func (d *Dispatcher) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	return d.replayer.Redeliver(ctx, subscriptionID, eventID)
}

// Replay makes every finished delivery that q matches pending again, with a new set of attempts,
// and returns how many. When q.States names store.Pending, deliveries that wait for a retry are
// made due now as well. Where a breaker is open, the next probe is made now. Deliveries of
// unsubscribed subscriptions and of events that were erased or have expired are passed over.
//
// It returns an *events.InvalidError for a query that is out of its bounds or contradicts itself,
// or that has a Cursor, a Limit or Count, which would have no effect: a replay is of all that
// matches. Beyond Quota.ReplaysPerMinute it returns a *QuotaError and changes nothing. With
// q.AnyTenant the replay is the host's own and has no quota. Replay works in steps: after any other
// error it returns how many deliveries it has made pending, and a further call replays the rest.
func (d *Dispatcher) Replay(ctx context.Context, q store.DeliveryQuery) (int, error) {
	return d.replayer.Replay(ctx, q)
}

// ReplayCount returns how many deliveries Replay would make pending if it were called now. It
// changes nothing. Its query is as that of Replay.
func (d *Dispatcher) ReplayCount(ctx context.Context, q store.DeliveryQuery) (int, error) {
	return d.replayer.Count(ctx, q)
}

// MaxReplayStep is how many deliveries one ReplayStep makes pending at most: 1000.
const MaxReplayStep = replay.MaxStep

// ReplayResult is what a step of a replay has done.
type ReplayResult struct {
	Replayed int    // deliveries that are pending again
	Next     string // the Cursor of the query for the next step; empty after the last
}

// ReplayStep does a part of a Replay, for a page or a job that shows progress, can be stopped, and
// goes on after a restart. The first step has no Cursor; each further one has the Next of the step
// before it and otherwise the same query. The steps together replay what was published before the
// first step, or before q.Until. ReplayCount returns what Replayed of all steps will add up to, if
// nothing changes meanwhile.
//
// A step makes at most q.Limit deliveries pending, or MaxReplayStep if that is less; 500 if q.Limit
// is zero. If it makes fewer, or none, and there is a Next, it has read as much as one call may:
// call it again. Repeating a step is safe.
//
// It returns the errors of Replay, and an *events.InvalidError for a Cursor that is from no step.
// Each step counts as a replay in Quota.ReplaysPerMinute, unless q.AnyTenant is set.
func (d *Dispatcher) ReplayStep(ctx context.Context, q store.DeliveryQuery) (ReplayResult, error) {
	replayed, next, err := d.replayer.Step(ctx, q)
	return ReplayResult{replayed, next}, err
}
