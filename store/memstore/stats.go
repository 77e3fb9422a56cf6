package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Stats implements [store.History]. It counts, and so it takes as long as there are deliveries. All
// figures are of one moment.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	now, err := s.begin(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", err)
	}
	defer s.end()
	// Before counting: a lease that has run out is not in flight any more.
	s.queue.Expire(now.UnixNano())
	if subscriptionID == "" {
		stats := store.Stats{Unwanted: s.unwanted.Counts()}
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
	// The counts of attempts have a lock of their own, and in this store no file behind them: what
	// the buffer has is all that there is.
	w := rollup.NewWindow(now)
	s.attempts.Of(sub.num, func(row rollup.Row) { w.Add(row.At, row.Counts) })
	stats := store.Stats{
		Health: *health, FailingSince: health.FailingSince(), Hour: w.Hour(), Day: w.Day(),
	}
	s.tell(sub, &stats)
	return stats, nil
}

// tell adds the figures of sub. It goes through all deliveries that are kept.
func (s *state) tell(sub *subscription, stats *store.Stats) {
	// Before the loop, as leases are counted by the schedule and not kept with their deliveries.
	stats.Subscriptions++
	stats.InFlight += s.queue.InFlight(sub.turns)
	// In no order; the oldest is found by comparing times.
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
	// Bounded as in stores where counting further would cost something.
	return min(s.queue.pending[tenant], max(limit, 0)), nil
}
