package shards

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
)

// Attempts implements [store.History].
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	return atSubscription(ctx, s, subscriptionID, reads, func(sh *shard) ([]store.Attempt, error) {
		return sh.Attempts(ctx, subscriptionID, eventID)
	})
}

// Event implements [store.History].
func (s *Store) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	if err := s.begin(ctx); err != nil {
		return store.StoredEvent{}, fmt.Errorf("shards: event: %w", err)
	}
	return atHome(ctx, s, tenant, reads, func(sh *shard) (store.StoredEvent, error) {
		return sh.Event(ctx, tenant, eventID)
	})
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	_, err := atSubscription(ctx, s, subscriptionID, writes, func(sh *shard) (struct{}, error) {
		return struct{}{}, sh.Recovered(ctx, subscriptionID)
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("shards: probe now: %w", err)
	}
	var unlocated error // is returned at the end: the others are probed nevertheless
	positions, order, err := group(len(subscriptionIDs), func(i int) (*shard, error) {
		sh, _, err := s.locate(ctx, subscriptionIDs[i], reads)
		if of := new(Error); errors.As(err, &of) {
			unlocated, err = err, store.ErrNotFound
		}
		return sh, err
	})
	if err != nil {
		return err
	}
	answers, err := each(ctx, s, order, func(ctx context.Context, sh *shard) (struct{}, error) {
		own := make([]string, len(positions[sh]))
		for i, at := range positions[sh] {
			own[i] = subscriptionIDs[at]
		}
		return struct{}{}, sh.ProbeNow(ctx, own...)
	})
	return firstError(order, answers, firstOf(err, unlocated))
}

// firstError returns err, or else the first of the shards' errors.
func firstError[T any](shards []*shard, answers []answer[T], err error) error {
	for i := range answers {
		if err == nil {
			err = shards[i].wrap(answers[i].err)
		}
	}
	return err
}

// Stats implements [store.History]. Of a tenant that is being moved, the whole store's figures may
// count some twice.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	if subscriptionID != "" {
		return atSubscription(ctx, s, subscriptionID, reads, func(sh *shard) (store.Stats, error) {
			return sh.Stats(ctx, subscriptionID)
		})
	}
	if err := s.begin(ctx); err != nil {
		return store.Stats{}, fmt.Errorf("shards: stats: %w", err)
	}
	answers, err := each(ctx, s, s.shards,
		func(ctx context.Context, sh *shard) (store.Stats, error) { return sh.Stats(ctx, "") })
	if err := firstError(s.shards, answers, err); err != nil {
		return store.Stats{}, err
	}
	var sum store.Stats
	for i := range answers {
		one := &answers[i].out
		sum.Subscriptions += one.Subscriptions
		sum.Pending += one.Pending
		sum.InFlight += one.InFlight
		for eventType, n := range one.Unwanted {
			if sum.Unwanted == nil {
				sum.Unwanted = make(map[string]int)
			}
			sum.Unwanted[eventType] += n
		}
		oldest := one.OldestPending
		if sum.OldestPending.IsZero() || !oldest.IsZero() && oldest.Before(sum.OldestPending) {
			sum.OldestPending = oldest
		}
	}
	return sum, nil
}

// CountPending implements [store.History].
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	if err := s.begin(ctx); err != nil {
		return 0, fmt.Errorf("shards: count pending: %w", err)
	}
	return atHome(ctx, s, tenant, reads, func(sh *shard) (int, error) {
		return sh.CountPending(ctx, tenant, limit)
	})
}

// Erase implements [store.History].
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", fmt.Errorf("shards: erase: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return 0, "", fmt.Errorf("shards: erase: %w", err)
	}
	var at cursor
	if q.EventID == "" { // or else it is ignored
		if at, err = parseCursor(q.Cursor); err != nil {
			return 0, "", fmt.Errorf("shards: erase: %w", err)
		}
	}
	type step struct {
		n    int
		next string
	}
	out, err := atHome(ctx, s, q.Tenant, writes, func(sh *shard) (step, error) {
		defer sh.claims.changed("")
		q := q
		q.Cursor = at.of(sh).text
		n, next, err := sh.Erase(ctx, q)
		return step{n, oneCursor(sh, next, false)}, err
	})
	return out.n, out.next, err
}

// Requeue implements [store.History]. Over several shards it takes their steps one shard after the
// other.
func (s *Store) Requeue(
	ctx context.Context, q store.DeliveryQuery,
) (store.RequeueResult, error) {
	if err := q.Validate(); err != nil {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", err)
	}
	at, err := parseCursor(q.Cursor)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", err)
	}
	if !q.AnyTenant {
		return atHome(ctx, s, q.Tenant, writes, func(sh *shard) (store.RequeueResult, error) {
			return requeue(ctx, sh, q, at)
		})
	}
	i := at.first() // the shards before it are done
	if i >= len(s.shards) {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", errCursor())
	}
	result, err := requeue(ctx, s.shards[i], q, at)
	if err != nil {
		return store.RequeueResult{}, s.shards[i].wrap(err)
	}
	if result.Next == "" && i+1 < len(s.shards) {
		result.Next = oneCursor(s.shards[i+1], "", true)
	}
	return result, nil
}

// requeue takes a step in one shard.
func requeue(
	ctx context.Context, sh *shard, q store.DeliveryQuery, at cursor,
) (store.RequeueResult, error) {
	q.Cursor = at.of(sh).text
	result, err := sh.Requeue(ctx, q)
	result.Next = oneCursor(sh, result.Next, false)
	result.Held = slices.Clone(result.Held)
	return result, err
}
