package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Deliveries lists deliveries, newest first. It returns an *events.InvalidError for a query that is
// out of its bounds or contradicts itself.
func (d *Dispatcher) Deliveries(
	ctx context.Context,
	q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	if err := checkDeliveryQuery(&q); err != nil {
		return store.Page[store.Delivery]{}, err
	}
	return d.store.Deliveries(ctx, q)
}

// Attempts returns the attempts of a delivery, oldest first. It returns store.ErrNotFound if the
// delivery does not exist.
func (d *Dispatcher) Attempts(
	ctx context.Context,
	subscriptionID, eventID string,
) ([]store.Attempt, error) {
	return d.store.Attempts(ctx, subscriptionID, eventID)
}

// Redeliver sends an event to a subscription again, at once and with a new set of attempts, in any
// state of the delivery. If the breaker is open, it goes with the next probe. A delivery that waits
// for a retry is made due now and keeps its count. One that is under way, or whose event was erased
// (Delivery.Erased), is left alone.
//
// It returns store.ErrNotFound if the delivery does not exist, store.ErrConflict if the
// subscription is unsubscribed, and a *QuotaError beyond Quota.ReplaysPerMinute.
func (d *Dispatcher) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	sub, err := d.Subscription(ctx, subscriptionID)
	if err != nil {
		return err
	}
	if _, err := d.store.Attempts(ctx, sub.ID, eventID); err != nil {
		return err
	}
	if sub.Status != store.Subscribed {
		return fmt.Errorf(
			"dispatcher: redeliver: %w: the subscription is unsubscribed; subscribe it first",
			store.ErrConflict,
		)
	}
	if err := d.quotas.allowReplay(sub.Tenant); err != nil {
		return err
	}
	_, err = d.requeue(ctx, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: sub.ID, EventID: eventID, States: store.States(),
	})
	return err
}

// replayStep is how many deliveries one step of Replay or ReplayCount takes.
const replayStep = 500

// Replay makes every finished delivery that q matches pending again, with a new set of attempts,
// and returns how many. When q.States names store.Pending, deliveries that wait for a retry are
// made due now as well. Where a breaker is open, the next probe is made now. Deliveries of
// unsubscribed subscriptions and of erased events are passed over.
//
// It returns an *events.InvalidError for a query that is out of its bounds or contradicts itself,
// or that has a Cursor, a Limit or Count, which would have no effect: a replay is of all that
// matches. Beyond Quota.ReplaysPerMinute it returns a *QuotaError and changes nothing. With
// q.AnyTenant the replay is the host's own and has no quota. Replay works in steps: after any other
// error it returns how many deliveries it has made pending, and a further call replays the rest.
func (d *Dispatcher) Replay(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := checkReplayQuery(&q); err != nil {
		return 0, err
	}
	if !q.AnyTenant {
		if err := d.quotas.allowReplay(q.Tenant); err != nil {
			return 0, err
		}
	}
	q = replayed(q)
	total := 0
	for {
		step, err := d.requeue(ctx, q)
		total += step.Requeued
		if err != nil || step.Next == "" {
			return total, err
		}
		q.Cursor = step.Next
	}
}

// requeue takes one step, and has its held subscriptions probed now: a caller who asks for a
// delivery again thinks that the endpoint works. If ProbeNow fails, they wait for their next probe.
func (d *Dispatcher) requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
	error) {
	step, err := d.store.Requeue(ctx, q)
	if err == nil && len(step.Held) > 0 {
		err = d.store.ProbeNow(ctx, step.Held...)
	}
	return step, err
}

// ReplayCount returns how many deliveries Replay would make pending if it were called now. It
// changes nothing. Its query is as that of Replay.
func (d *Dispatcher) ReplayCount(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if err := checkReplayQuery(&q); err != nil {
		return 0, err
	}
	q = replayed(q)
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	total := 0
	for {
		page, err := d.store.Deliveries(ctx, q)
		if err != nil {
			return total, err
		}
		n, err := d.replayable(ctx, page.Items)
		total += n
		if err != nil || page.Next == "" {
			return total, err
		}
		q.Cursor = page.Next
	}
}

// replayed returns q for the first step over all that it selects.
func replayed(q store.DeliveryQuery) store.DeliveryQuery {
	if q.Until.IsZero() {
		q.Until = time.Now().Add(time.Minute) // not what is published while this runs
	}
	q.Cursor, q.Limit, q.Count = "", replayStep, false
	return q
}

// replayable counts the deliveries that store.Requeue would take.
func (d *Dispatcher) replayable(ctx context.Context, page []store.Delivery) (int, error) {
	n, now := 0, time.Now()
	subscribed := make(map[string]bool)
	for i := range page {
		delivery := &page[i]
		if delivery.Erased || delivery.State == store.Pending && !delivery.DueAt.After(now) {
			continue // one that is due has nothing to gain
		}
		is, known := subscribed[delivery.SubscriptionID]
		if !known {
			sub, err := d.store.Subscription(ctx, delivery.SubscriptionID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return n, err
			}
			is = err == nil && sub.Status == store.Subscribed
			subscribed[delivery.SubscriptionID] = is
		}
		if is {
			n++
		}
	}
	return n, nil
}
