package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Stats implements [store.History].
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	now, err := s.begin(ctx)
	if err != nil {
		return store.Stats{}, fmt.Errorf("memstore: stats: %w", err)
	}
	defer s.end()
	s.schedule.Expire(now.UnixNano())
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
	stats := store.Stats{Health: *health, FailingSince: health.FailingSince(), Hour: sub.window(now, rollup.Hour), Day: sub.window(now, rollup.Day)}
	s.tell(sub, &stats)
	return stats, nil
}

// tell adds the figures of sub.
func (s *Store) tell(sub *subscription, stats *store.Stats) {
	stats.Subscriptions++
	stats.InFlight += s.schedule.InFlight(sub.turns)
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

// count counts an attempt, and forgets what is too old to be asked for.
func (sub *subscription) count(o *store.Outcome, now time.Time) {
	for at := range sub.buckets {
		if at < rollup.First(now, rollup.Day) {
			delete(sub.buckets, at)
		}
	}
	at := rollup.At(now)
	if sub.buckets[at] == nil {
		sub.buckets[at] = new(rollup.Bucket)
	}
	sub.buckets[at].Add(&o.Attempt, o.State == store.Delivered)
}

// window returns what was counted in the time d before now.
func (sub *subscription) window(now time.Time, d time.Duration) store.AttemptStats {
	var sum rollup.Bucket
	for at, slot := range sub.buckets {
		if at >= rollup.First(now, d) {
			sum.Merge(slot)
		}
	}
	return sum.Stats()
}
