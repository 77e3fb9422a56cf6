package shards

import (
	"context"
	"sync/atomic"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/claims"
	"github.com/outhook/outhook/store/shards/internal/recorder"
)

// shard is one of the stores. Its methods that may make something claimable note that, after the
// call: a Claim that begins while it runs may miss what it makes claimable, and must ask again.
// They note it after an error too, when it is not known what was done.
type shard struct {
	store.Store
	index    int // among the stores of New
	recorder *recorder.Recorder
	prune    *pruning // the step that is under way; guarded by the slot of Store.pruning

	trouble atomic.Pointer[Error] // with outcomes, for the next Claim to tell

	stirred atomic.Bool // there may be something new to claim since it was last asked
}

var _ claims.Source = (*shard)(nil)

// newShard returns the shard of a store.
func (s *Store) newShard(inner store.Store, index int) *shard {
	sh := &shard{Store: inner, index: index}
	sh.recorder = recorder.New(sh, recorder.Config{
		Calls:   s.calls,
		Wrap:    sh.wrap,
		Trouble: func(err error) { sh.trouble.Store(&Error{index, err}) },
		Room:    s.wake, // there may be room in the limits of Claim
	})
	return sh
}

// Wrap implements [claims.Source].
func (sh *shard) Wrap(err error) error { return sh.wrap(err) }

// TakeTrouble implements [claims.Source].
func (sh *shard) TakeTrouble() error {
	if told := sh.trouble.Swap(nil); told != nil {
		return told
	}
	return nil // not told: a nil pointer in an error is no nil error
}

// ReleaseLater implements [claims.Source].
func (sh *shard) ReleaseLater(leases []store.Lease) { sh.recorder.ReleaseLater(leases) }

// Asked implements [claims.Source].
func (sh *shard) Asked() { sh.stirred.Store(false) }

// stir says that there may be something new to claim.
func (sh *shard) stir() { sh.stirred.Store(true) }

// HasStirred implements [claims.Source]. What Ready says is looked at here
// too, as the goroutine that forwards it may be late.
func (sh *shard) HasStirred() bool {
	select {
	case <-sh.Ready():
		sh.stir() // forward can't see it any more, and need not: a Claim is under way
	default:
	}
	return sh.stirred.Load()
}

// Enqueue has something new to claim.
func (sh *shard) Enqueue(ctx context.Context, evs ...events.Event) error {
	defer sh.stir()
	return sh.Store.Enqueue(ctx, evs...)
}

// Finish makes room in the limits, has retries fall due, and lets the next of a key go on.
func (sh *shard) Finish(
	ctx context.Context, outcomes ...store.Outcome,
) ([]store.Result, error) {
	defer sh.stir()
	return sh.Store.Finish(ctx, outcomes...)
}

// Release makes due what was leased.
func (sh *shard) Release(ctx context.Context, leases ...store.Lease) error {
	defer sh.stir()
	return sh.Store.Release(ctx, leases...)
}

// UpdateSubscription may subscribe again, or change the host that PerHost counts for.
func (sh *shard) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	defer sh.stir()
	return sh.Store.UpdateSubscription(ctx, id, change)
}

// DeleteSubscription ends leases, which makes room.
func (sh *shard) DeleteSubscription(ctx context.Context, id string) error {
	defer sh.stir()
	return sh.Store.DeleteSubscription(ctx, id)
}

// Requeue makes deliveries due.
func (sh *shard) Requeue(
	ctx context.Context, q store.DeliveryQuery,
) (store.RequeueResult, error) {
	defer sh.stir()
	return sh.Store.Requeue(ctx, q)
}

// ProbeNow makes a probe due.
func (sh *shard) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	defer sh.stir()
	return sh.Store.ProbeNow(ctx, subscriptionIDs...)
}

// Recovered makes due what waited for the breaker.
func (sh *shard) Recovered(ctx context.Context, subscriptionID string) error {
	defer sh.stir()
	return sh.Store.Recovered(ctx, subscriptionID)
}

// Erase cancels what is pending, and so lets the next of a key go on.
func (sh *shard) Erase(
	ctx context.Context, q store.EraseQuery,
) (n int, next string, err error) {
	defer sh.stir()
	return sh.Store.Erase(ctx, q)
}
