// Package replay makes deliveries pending again, in steps, so that no transaction of the store is
// long however much a replay takes.
//
// It decides which deliveries a replay is of and what else becomes of their subscription: a caller
// who asks for a delivery again thinks that the endpoint works, so those that are held because they
// have failed are probed now. Quotas, and the words of errors, are its caller's.
package replay

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
)

// limit is how many deliveries one step takes.
const limit = 500

// All makes every finished delivery that q matches pending again, and returns how many. After an
// error it returns how many it has made pending by then.
func All(ctx context.Context, s store.Store, q store.DeliveryQuery) (int, error) {
	q.Cursor = ""
	q = Prepare(q, limit)
	total := 0
	for {
		step, err := Step(ctx, s, q)
		total += step.Requeued
		if err != nil || step.Next == "" {
			return total, err
		}
		q.Cursor = step.Next
	}
}

// Step takes one step of q, and has the held subscriptions of it probed now. If that fails, they
// wait for their next probe.
func Step(ctx context.Context, s store.Store, q store.DeliveryQuery) (store.RequeueResult, error) {
	step, err := s.Requeue(ctx, q)
	if err == nil && len(step.Held) > 0 {
		err = s.ProbeNow(ctx, step.Held...)
	}
	return step, err
}

// Count returns how many deliveries All would make pending if it were called now.
func Count(ctx context.Context, s store.Store, q store.DeliveryQuery) (int, error) {
	q.Cursor = ""
	q = Prepare(q, limit)
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	total := 0
	for {
		page, err := s.Deliveries(ctx, q)
		if err != nil {
			return total, err
		}
		n, err := replayable(ctx, s, page.Items)
		total += n
		if err != nil || page.Next == "" {
			return total, err
		}
		q.Cursor = page.Next
	}
}

// Prepare returns q for a step over at most so many deliveries; 500 if most is zero.
func Prepare(q store.DeliveryQuery, most int) store.DeliveryQuery {
	if q.Until.IsZero() {
		q.Until = time.Now().Add(time.Minute) // not what is published while this runs
	}
	q.Limit, q.Count = cmp.Or(most, limit), false
	return q
}

// replayable counts the deliveries that store.Requeue would take.
func replayable(ctx context.Context, s store.Store, page []store.Delivery) (int, error) {
	n, now := 0, time.Now()
	collects := make(map[string]bool)
	for i := range page {
		delivery := &page[i]
		switch {
		case delivery.Erased,
			!delivery.ExpiresAt.IsZero() && !delivery.ExpiresAt.After(now):
			continue
		// One that is due has nothing to gain, and one that is not to be sent yet is due at that
		// time. By its event, as Wait names one reason alone: it may be paused, too.
		case delivery.State == store.Pending &&
			(!delivery.DueAt.After(now) || delivery.NotBefore.After(now)):
			continue
		}
		is, known := collects[delivery.SubscriptionID]
		if !known {
			sub, err := s.Subscription(ctx, delivery.SubscriptionID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return n, err
			}
			is = err == nil && sub.Collects()
			collects[delivery.SubscriptionID] = is
		}
		if is {
			n++
		}
	}
	return n, nil
}

// Recovered ends what an endpoint's failures have left, as it has answered: its holds, and the
// waits of what is to be tried again. Most have nothing to end; then the call costs one read.
func Recovered(ctx context.Context, s store.Store, id string) error {
	stats, err := s.Stats(ctx, id)
	if err != nil {
		return err
	}
	if h := stats.Health.Recovered(); h != stats.Health {
		if err := s.Recovered(ctx, id); err != nil {
			return err
		}
	}
	if stats.Pending == 0 || stats.Health.LastFailureAt.IsZero() {
		return nil
	}
	_, err = All(ctx, s, store.DeliveryQuery{
		AnyTenant: true, SubscriptionID: id, States: []store.State{store.Pending},
	})
	return err
}
