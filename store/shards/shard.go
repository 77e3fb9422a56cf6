package shards

import (
	"context"
	"sync/atomic"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// shard is one of the stores. Its methods that may make something claimable note that.
type shard struct {
	store.Store
	index    int
	claims   claimer
	recorder recorder
	prune    *pruning // that is under way; guarded by the slot of Store.pruning

	trouble atomic.Pointer[Error] // with outcomes, for the next Claim to tell

	stirred atomic.Bool // there may be something new to claim since it was last asked
}

// stir says that there may be something new to claim.
func (sh *shard) stir() { sh.stirred.Store(true) }

// hasStirred reports whether there may be something new to claim. What Ready says is looked at here
// too, as the goroutine that forwards it may be late.
func (sh *shard) hasStirred() bool {
	select {
	case <-sh.Ready():
		sh.stir()
	default:
	}
	return sh.stirred.Load()
}

func (sh *shard) Enqueue(ctx context.Context, evs ...events.Event) error {
	defer sh.stir()
	return sh.Store.Enqueue(ctx, evs...)
}

func (sh *shard) Finish(
	ctx context.Context, outcomes ...store.Outcome,
) ([]store.Result, error) {
	defer sh.stir()
	return sh.Store.Finish(ctx, outcomes...)
}

func (sh *shard) Release(ctx context.Context, leases ...store.Lease) error {
	defer sh.stir()
	return sh.Store.Release(ctx, leases...)
}

func (sh *shard) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	defer sh.stir()
	return sh.Store.UpdateSubscription(ctx, id, change)
}

func (sh *shard) DeleteSubscription(ctx context.Context, id string) error {
	defer sh.stir()
	return sh.Store.DeleteSubscription(ctx, id)
}

func (sh *shard) Requeue(
	ctx context.Context, q store.DeliveryQuery,
) (store.RequeueResult, error) {
	defer sh.stir()
	return sh.Store.Requeue(ctx, q)
}

func (sh *shard) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	defer sh.stir()
	return sh.Store.ProbeNow(ctx, subscriptionIDs...)
}

func (sh *shard) Recovered(ctx context.Context, subscriptionID string) error {
	defer sh.stir()
	return sh.Store.Recovered(ctx, subscriptionID)
}

func (sh *shard) Erase(
	ctx context.Context, q store.EraseQuery,
) (n int, next string, err error) {
	defer sh.stir()
	return sh.Store.Erase(ctx, q)
}
