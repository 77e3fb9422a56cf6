package httpapi_test

import (
	"context"
	"errors"

	"github.com/outhook/outhook/store"
)

// brokenStore fails each call about subscriptions.
type brokenStore struct{ store.Store }

var errDisk = errors.New("disk on fire at /var/lib/host")

func (brokenStore) CreateSubscription(context.Context, store.Subscription) (store.Subscription,
	error) {
	return store.Subscription{}, errDisk
}

func (brokenStore) UpdateSubscription(context.Context, string,
	func(*store.Subscription) error) (store.Subscription, error) {
	return store.Subscription{}, errDisk
}

func (brokenStore) Subscription(context.Context, string) (store.Subscription, error) {
	return store.Subscription{}, errDisk
}

func (brokenStore) Subscriptions(context.Context,
	store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	return store.Page[store.Subscription]{}, errDisk
}

func (brokenStore) Event(context.Context, string, string) (store.StoredEvent, error) {
	return store.StoredEvent{}, errDisk
}

// brokenHistory fails each call about deliveries.
type brokenHistory struct{ store.Store }

func (brokenHistory) Deliveries(context.Context, store.DeliveryQuery) (store.Page[store.Delivery],
	error) {
	return store.Page[store.Delivery]{}, errDisk
}

func (brokenHistory) Attempts(context.Context, string, string) ([]store.Attempt, error) {
	return nil, errDisk
}

func (brokenHistory) Requeue(context.Context, store.DeliveryQuery) (store.RequeueResult, error) {
	return store.RequeueResult{}, errDisk
}

func (brokenHistory) Stats(context.Context, string) (store.Stats, error) {
	return store.Stats{}, errDisk
}

func (brokenHistory) DeleteSubscription(context.Context, string) error { return errDisk }

// halfRequeue requeues three deliveries and then fails.
type halfRequeue struct{ store.Store }

func (halfRequeue) Requeue(_ context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	if q.Cursor == "" {
		return store.RequeueResult{Requeued: 3, Next: "more"}, nil
	}
	return store.RequeueResult{}, errDisk
}

// noProbe is a store whose replayed subscriptions are held, and can't be probed.
type noProbe struct{ store.Store }

func (noProbe) Requeue(context.Context, store.DeliveryQuery) (store.RequeueResult, error) {
	return store.RequeueResult{Requeued: 3, Next: "more", Held: []string{id1}}, nil
}

func (noProbe) ProbeNow(context.Context, ...string) error { return errDisk }
