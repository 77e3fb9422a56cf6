package broken

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// Store is a memstore with some methods replaced.
type Store struct {
	*memstore.Store

	OnCreate func(context.Context, store.Subscription) (store.Subscription, error)
	OnUpdate func(context.Context, string,
		func(*store.Subscription) error) (store.Subscription, error)
	OnDelete        func(context.Context, string) error
	OnSubscription  func(context.Context, string) (store.Subscription, error)
	OnSubscriptions func(context.Context, store.SubscriptionQuery) (store.Page[store.Subscription],
		error)
	OnEnqueue    func(context.Context, ...events.Event) error
	OnClaim      func(context.Context, store.ClaimRequest) (store.ClaimResult, error)
	OnFinish     func(context.Context, ...store.Outcome) ([]store.Result, error)
	OnRelease    func(context.Context, ...store.Lease) error
	OnReady      func() <-chan struct{}
	OnDeliveries func(context.Context, store.DeliveryQuery) (store.Page[store.Delivery], error)
	OnEvent      func(context.Context, string, string) (store.StoredEvent, error)
	OnAttempts   func(context.Context, string, string) ([]store.Attempt, error)
	OnRequeue    func(context.Context, store.DeliveryQuery) (store.RequeueResult, error)
	OnProbeNow   func(context.Context, ...string) error
	OnErase      func(context.Context, store.EraseQuery) (int, string, error)
	OnPrune      func(context.Context, store.Retention) (bool, error)
	OnCount      func(context.Context, string, int) (int, error)
	OnStats      func(context.Context, string) (store.Stats, error)
	OnFigures    func(context.Context, store.FiguresQuery) (store.Figures, error)
}

// New returns a memstore that is not broken yet.
func New() *Store {
	s := memstore.New()
	return &Store{
		Store: s, OnCreate: s.CreateSubscription, OnUpdate: s.UpdateSubscription,
		OnDelete:       s.DeleteSubscription,
		OnSubscription: s.Subscription, OnSubscriptions: s.Subscriptions, OnEnqueue: s.Enqueue,
		OnClaim:  s.Claim,
		OnFinish: s.Finish, OnRelease: s.Release, OnReady: s.Ready, OnDeliveries: s.Deliveries,
		OnEvent: s.Event, OnAttempts: s.Attempts, OnRequeue: s.Requeue, OnProbeNow: s.ProbeNow,
		OnErase: s.Erase,
		OnPrune: s.Prune, OnCount: s.CountPending, OnStats: s.Stats,
		OnFigures: s.Figures,
	}
}

func (b *Store) CreateSubscription(ctx context.Context,
	sub store.Subscription) (store.Subscription, error) {
	return b.OnCreate(ctx, sub)
}

func (b *Store) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	return b.OnUpdate(ctx, id, change)
}

func (b *Store) DeleteSubscription(ctx context.Context, id string) error {
	return b.OnDelete(ctx, id)
}

func (b *Store) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	return b.OnSubscription(ctx, id)
}

func (b *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	return b.OnSubscriptions(ctx, q)
}

func (b *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	return b.OnEnqueue(ctx, evs...)
}

func (b *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	return b.OnClaim(ctx, req)
}

func (b *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	return b.OnFinish(ctx, outcomes...)
}

func (b *Store) Release(ctx context.Context, leases ...store.Lease) error {
	return b.OnRelease(ctx, leases...)
}

func (b *Store) Ready() <-chan struct{} { return b.OnReady() }

func (b *Store) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery],
	error) {
	return b.OnDeliveries(ctx, q)
}

func (b *Store) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	return b.OnEvent(ctx, tenant, eventID)
}

func (b *Store) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt,
	error) {
	return b.OnAttempts(ctx, subscriptionID, eventID)
}

func (b *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	return b.OnRequeue(ctx, q)
}

func (b *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	return b.OnProbeNow(ctx, subscriptionIDs...)
}

func (b *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	return b.OnErase(ctx, q)
}

func (b *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	return b.OnPrune(ctx, r)
}

func (b *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	return b.OnCount(ctx, tenant, limit)
}

func (b *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	return b.OnStats(ctx, subscriptionID)
}

func (b *Store) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	return b.OnFigures(ctx, q)
}

// Pause pauses a subscription of the memstore.
func (b *Store) Pause(id string, d time.Duration) {
	pauses := []store.Pause{{SubscriptionID: id, For: d}}
	if _, err := b.Store.Claim(context.Background(),
		store.ClaimRequest{Lease: 1, Pauses: pauses}); err != nil {
		panic(err)
	}
}
