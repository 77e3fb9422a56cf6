package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Stats implements [store.History]. It counts, and so it takes as long as there are deliveries.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	now, err := s.begin(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", err)
	}
	defer s.end()
	// Before counting: a lease that has run out is not in flight any more.
	s.queue.Expire(now.UnixNano())
	if subscriptionID == "" {
		stats := store.Stats{}
		for _, sub := range s.order {
			s.tell(sub, &stats)
		}
		return stats, nil
	}
	sub := s.subs[subscriptionID]
	if sub == nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", store.ErrNotFound)
	}
	health := sub.turns.Health()
	// All counts are in memory, and nothing writes them.
	w := rollup.NewWindow(now)
	s.attempts.Of(sub.num, func(row rollup.Row) { w.Add(row.At, row.Counts) })
	stats := store.Stats{
		Health: *health, FailingSince: health.FailingSince(), Hour: w.Hour(), Day: w.Day(),
	}
	s.tell(sub, &stats)
	return stats, nil
}

// tell adds the figures of sub. It goes through all deliveries that are kept. The lock is held.
func (s *Store) tell(sub *subscription, stats *store.Stats) {
	stats.Subscriptions++
	stats.InFlight += s.queue.InFlight(sub.turns)
	for _, d := range sub.deliveries {
		if d.state != store.Pending {
			continue
		}
		stats.Pending++
		if at := d.event.enqueued; stats.OldestPending.IsZero() || at.Before(stats.OldestPending) {
			stats.OldestPending = at
		}
	}
}

// CountPending implements [store.History]. It is counted as it changes, because a quota asks for it
// at each Publish.
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	if _, err := s.begin(ctx); err != nil {
		return 0, fmt.Errorf("memstore: count pending: %w", err)
	}
	defer s.end()
	return min(s.queue.pending[tenant], max(limit, 0)), nil
}
