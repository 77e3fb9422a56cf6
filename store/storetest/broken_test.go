package storetest_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// broken is a memstore of which some methods are replaced.
type broken struct {
	*memstore.Store

	create        func(context.Context, store.Subscription) (store.Subscription, error)
	update        func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error)
	deleteSub     func(context.Context, string) error
	subscription  func(context.Context, string) (store.Subscription, error)
	subscriptions func(context.Context, store.SubscriptionQuery) (store.Page[store.Subscription], error)
	enqueue       func(context.Context, ...events.Event) error
	claim         func(context.Context, store.ClaimRequest) (store.ClaimResult, error)
	finish        func(context.Context, ...store.Outcome) ([]store.Result, error)
	release       func(context.Context, ...store.Lease) error
	ready         func() <-chan struct{}
	deliveries    func(context.Context, store.DeliveryQuery) (store.Page[store.Delivery], error)
	attempts      func(context.Context, string, string) ([]store.Attempt, error)
	requeue       func(context.Context, store.DeliveryQuery) (store.RequeueResult, error)
	probeNow      func(context.Context, ...string) error
	erase         func(context.Context, store.EraseQuery) (int, string, error)
	prune         func(context.Context, store.Retention) (bool, error)
	stats         func(context.Context, string) (store.Stats, error)
}

// newBroken returns a memstore of which nothing is broken yet.
func newBroken() *broken {
	s := memstore.New()
	return &broken{
		Store: s, create: s.CreateSubscription, update: s.UpdateSubscription, deleteSub: s.DeleteSubscription,
		subscription: s.Subscription, subscriptions: s.Subscriptions, enqueue: s.Enqueue, claim: s.Claim,
		finish: s.Finish, release: s.Release, ready: s.Ready, deliveries: s.Deliveries,
		attempts: s.Attempts, requeue: s.Requeue, probeNow: s.ProbeNow, erase: s.Erase, prune: s.Prune, stats: s.Stats,
	}
}

func (b *broken) CreateSubscription(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
	return b.create(ctx, sub)
}

func (b *broken) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	return b.update(ctx, id, change)
}

func (b *broken) DeleteSubscription(ctx context.Context, id string) error {
	return b.deleteSub(ctx, id)
}

func (b *broken) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return b.subscription(ctx, id)
}

func (b *broken) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	return b.subscriptions(ctx, q)
}

func (b *broken) Enqueue(ctx context.Context, evs ...events.Event) error {
	return b.enqueue(ctx, evs...)
}

func (b *broken) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	return b.claim(ctx, req)
}

func (b *broken) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	return b.finish(ctx, outcomes...)
}

func (b *broken) Release(ctx context.Context, leases ...store.Lease) error {
	return b.release(ctx, leases...)
}

func (b *broken) Ready() <-chan struct{} { return b.ready() }

func (b *broken) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	return b.deliveries(ctx, q)
}

func (b *broken) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	return b.attempts(ctx, subscriptionID, eventID)
}

func (b *broken) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	return b.requeue(ctx, q)
}

func (b *broken) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	return b.probeNow(ctx, subscriptionIDs...)
}

func (b *broken) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	return b.erase(ctx, q)
}

func (b *broken) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	return b.prune(ctx, r)
}

func (b *broken) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	return b.stats(ctx, subscriptionID)
}

// pause pauses a subscription of the memstore.
func (b *broken) pause(id string, d time.Duration) {
	pauses := []store.Pause{{SubscriptionID: id, For: d}}
	if _, err := b.Store.Claim(context.Background(), store.ClaimRequest{Lease: 1, Pauses: pauses}); err != nil {
		panic(err)
	}
}
