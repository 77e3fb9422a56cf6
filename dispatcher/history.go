package dispatcher

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
)

// requeueStep is how many deliveries one step of Replay takes.
const requeueStep = 500

// Deliveries lists deliveries, newest first.
func (d *Dispatcher) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	return d.store.Deliveries(ctx, q)
}

// Attempts returns what the attempts of a delivery came to, oldest first. store.ErrNotFound when there is no such
// delivery.
func (d *Dispatcher) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	return d.store.Attempts(ctx, subscriptionID, eventID)
}

// Redeliver sends an event to a subscription again, at once and with a new set of attempts, whatever became of the
// delivery before. One that waits for a retry is made due now and keeps its count; one that is under way is left alone.
//
// store.ErrNotFound when there is no such delivery, store.ErrConflict when the subscription is unsubscribed.
func (d *Dispatcher) Redeliver(ctx context.Context, subscriptionID, eventID string) error {
	sub, err := d.Subscription(ctx, subscriptionID)
	if err != nil {
		return err
	}
	if _, err := d.store.Attempts(ctx, sub.ID, eventID); err != nil {
		return err
	}
	if sub.Status != store.Subscribed {
		return fmt.Errorf("dispatcher: redeliver: %w: the subscription is unsubscribed; subscribe it first", store.ErrConflict)
	}
	_, _, err = d.store.Requeue(ctx, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: sub.ID, EventID: eventID, States: store.States(),
	})
	return err
}

// Replay makes every finished delivery that q matches pending again, with a new set of attempts, and returns how many
// it were. When q.States names store.Pending, deliveries that wait for a retry are made due now as well. Deliveries of
// unsubscribed subscriptions are passed over. q.Cursor and q.Limit are ignored.
//
// It works in steps: after an error, and it returns how many it had got to, the rest can be replayed by calling again.
func (d *Dispatcher) Replay(ctx context.Context, q store.DeliveryQuery) (int, error) {
	if q.Until.IsZero() {
		q.Until = time.Now().Add(time.Minute) // not what is published while this runs
	}
	q.Cursor, q.Limit, q.Count = "", requeueStep, false
	total := 0
	for {
		n, next, err := d.store.Requeue(ctx, q)
		total += n
		if err != nil || next == "" {
			return total, err
		}
		q.Cursor = next
	}
}

// Stats are figures of the whole store, and of this Dispatcher since it was made.
type Stats struct {
	Subscriptions int       // how many there are, subscribed or not
	Pending       int       // deliveries that are pending, those under way included
	InFlight      int       // deliveries that are under way, in this process or another
	OldestPending time.Time // when the oldest pending delivery was published; zero when none is

	Attempts  uint64 // attempts made
	Delivered uint64 // deliveries delivered
	Retried   uint64 // attempts that failed and are followed by another
	Dead      uint64 // deliveries given up
}

// counts are the part of Stats that the Dispatcher counts itself.
type counts struct{ attempts, delivered, retried, dead atomic.Uint64 }

func (c *counts) outcome(s store.State) {
	switch s {
	case store.Delivered:
		c.delivered.Add(1)
	case store.Pending:
		c.retried.Add(1)
	case store.Dead:
		c.dead.Add(1)
	}
}

// Stats returns figures of the whole store, and of this Dispatcher since it was made.
func (d *Dispatcher) Stats(ctx context.Context) (Stats, error) {
	s, err := d.store.Stats(ctx, "")
	if err != nil {
		return Stats{}, err
	}
	return Stats{
		Subscriptions: s.Subscriptions,
		Pending:       s.Pending,
		InFlight:      s.InFlight,
		OldestPending: s.OldestPending,
		Attempts:      d.counts.attempts.Load(),
		Delivered:     d.counts.delivered.Load(),
		Retried:       d.counts.retried.Load(),
		Dead:          d.counts.dead.Load(),
	}, nil
}
