package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Stats implements [store.History].
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	now, err := s.begin(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", err)
	}
	defer s.mu.Unlock()
	s.expire(now)
	if subscriptionID == "" {
		stats := store.Stats{}
		for _, sub := range s.order {
			s.count(sub, &stats)
		}
		return stats, nil
	}
	sub := s.subs[subscriptionID]
	if sub == nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", store.ErrNotFound)
	}
	stats := store.Stats{Health: sub.health}
	s.count(sub, &stats)
	return stats, nil
}

// count adds the figures of sub.
func (s *Store) count(sub *subscription, stats *store.Stats) {
	stats.Subscriptions++
	stats.InFlight += sub.leased
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
