package shards

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
	"github.com/outhook/outhook/store/shards/internal/listing"
)

// What is of one subscription or one tenant goes to its shard. An answer of it is returned as it
// is, and trouble with its number, so that a host can tell which of its databases is meant.

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
	if errors.Is(err, store.ErrNotFound) { // of all shards, as each of them returns nil
		return nil
	}
	return err
}

// ProbeNow implements [store.History]. It probes as many as it can: after an error of one shard,
// the subscriptions of the others are probed nevertheless.
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("shards: probe now: %w", err)
	}
	var unlocated error // is returned at the end: the others are probed nevertheless
	positions, order, err := group(len(subscriptionIDs), func(i int) (*shard, error) {
		sh, _, err := s.locate(ctx, subscriptionIDs[i], reads)
		// It may be the subscription of the shard that is in trouble; the others are known.
		if of := new(Error); errors.As(err, &of) {
			unlocated, err = err, store.ErrNotFound
		}
		return sh, err
	})
	if err != nil {
		return err
	}
	answers, err := calls.Each(ctx, s.calls, order,
		func(ctx context.Context, sh *shard) (struct{}, error) {
			own := make([]string, len(positions[sh]))
			for i, at := range positions[sh] {
				own[i] = subscriptionIDs[at]
			}
			return struct{}{}, sh.ProbeNow(ctx, own...)
		})
	return firstError(order, answers, firstOf(err, unlocated))
}

// Stats implements [store.History]. A figure of the whole store that leaves out a shard in trouble
// would look like one of a store with less to do, so it is an error then. Of a tenant that is being
// moved, the whole store's figures may count some twice.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	if subscriptionID != "" {
		return atSubscription(ctx, s, subscriptionID, reads, func(sh *shard) (store.Stats, error) {
			return sh.Stats(ctx, subscriptionID)
		})
	}
	if err := s.begin(ctx); err != nil {
		return store.Stats{}, fmt.Errorf("shards: stats: %w", err)
	}
	answers, err := calls.Each(ctx, s.calls, s.shards,
		func(ctx context.Context, sh *shard) (store.Stats, error) { return sh.Stats(ctx, "") })
	if err := firstError(s.shards, answers, err); err != nil {
		return store.Stats{}, err
	}
	// Health and the like are of one subscription, and not of a whole store.
	var sum store.Stats
	for i := range answers {
		one := &answers[i].Out
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

// CountPending implements [store.History]. While the tenant is being moved, it is the count of
// where it was.
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	if err := s.begin(ctx); err != nil {
		return 0, fmt.Errorf("shards: count pending: %w", err)
	}
	return atHome(ctx, s, tenant, reads, func(sh *shard) (int, error) {
		return sh.CountPending(ctx, tenant, limit)
	})
}

// Erase implements [store.History]. What is left of a tenant in the shard that it was moved from is
// removed by the Move, or, if that was cut off, by the next one.
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", fmt.Errorf("shards: erase: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return 0, "", fmt.Errorf("shards: erase: %w", err)
	}
	var at listing.Cursor
	if q.EventID == "" { // or else the cursor is ignored, whatever it is
		if at, err = listing.ParseCursor(q.Cursor); err != nil {
			return 0, "", fmt.Errorf("shards: erase: %w", err)
		}
	}
	// The next step asks for the home again: the tenant may have moved by then. Its cursor is none of
	// the other shard's, so that one begins at its start.
	type step struct {
		n    int
		next string
	}
	out, err := atHome(ctx, s, q.Tenant, writes, func(sh *shard) (step, error) {
		// What a slow shard has claimed may be of an event that is being erased: its body must not
		// be sent.
		defer s.claims.Changed(sh.index, "")
		q := q
		q.Cursor = at.In(sh.index)
		n, next, err := sh.Erase(ctx, q)
		return step{n, listing.One(sh.index, next)}, err
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
	at, err := listing.ParseCursor(q.Cursor)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", err)
	}
	if !q.AnyTenant {
		return atHome(ctx, s, q.Tenant, writes, func(sh *shard) (store.RequeueResult, error) {
			return requeue(ctx, sh, q, at)
		})
	}
	// One shard a step, so that a step changes as much as one of a single store.
	i := at.First() // the shards before it are done
	if i >= len(s.shards) {
		return store.RequeueResult{}, fmt.Errorf("shards: requeue: %w", listing.ErrCursor())
	}
	result, err := requeue(ctx, s.shards[i], q, at)
	if err != nil {
		return store.RequeueResult{}, s.shards[i].wrap(err)
	}
	// The end of one shard is the start of the next, also if that has nothing that matches.
	if result.Next == "" && i+1 < len(s.shards) {
		result.Next = listing.StartOf(i + 1)
	}
	return result, nil
}

// requeue takes a step in one shard. It is bounded there, as a page of a listing is: it passes over
// page.Budget records at most, however few the query selects.
func requeue(
	ctx context.Context, sh *shard, q store.DeliveryQuery, at listing.Cursor,
) (store.RequeueResult, error) {
	q.Cursor = at.In(sh.index)
	result, err := sh.Requeue(ctx, q)
	result.Next = listing.One(sh.index, result.Next)
	result.Held = slices.Clone(result.Held) // none of the shard's, whatever it does with it
	return result, err
}
