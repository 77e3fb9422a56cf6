package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// Stats implements [store.History].
//
// InFlight is what this replica has leased. Pending is counted: about a tenth of a second for a
// million that wait for a retry or behind others.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	stats, err := s.stats(ctx, subscriptionID)
	if err != nil {
		return store.Stats{}, fmt.Errorf("pgstore: stats: %w", err)
	}
	return stats, nil
}

func (s *Store) stats(ctx context.Context, id string) (stats store.Stats, err error) {
	if err := s.begin(ctx); err != nil {
		return stats, err
	}
	if id == "" {
		err = s.pendingOf(ctx, 0, &stats)
		if err == nil {
			err = s.readRow(ctx, s.sql.CountSubscriptions)(&stats.Subscriptions)
		}
		stats.InFlight = s.leased()
		return stats, err
	}
	var h health
	var sub int64
	var now time.Time
	err = s.readRow(ctx, s.sql.HealthOf, id)(append(append([]any{&sub}, h.columns()...), &now)...)
	if errors.Is(err, pgx.ErrNoRows) || state(err) == invalidText {
		return stats, store.ErrNotFound
	}
	if err == nil {
		err = s.pendingOf(ctx, sub, &stats)
	}
	if err != nil {
		return stats, err
	}
	s.mu.Lock()
	s.schedule.Expire(s.clock.now())
	if q := s.schedule.Sub(uint64(sub)); q != nil {
		stats.InFlight = s.schedule.InFlight(q)
	}
	s.unlock()
	stats.Subscriptions, stats.Health = 1, h.record()
	stats.FailingSince = stats.Health.FailingSince()
	w, err := s.window(ctx, sub, now)
	stats.Hour, stats.Day = w.Hour(), w.Day()
	return stats, err
}

// pendingOf counts what is pending of a subscription, or of all.
func (s *Store) pendingOf(ctx context.Context, sub int64, stats *store.Stats) error {
	var oldest *time.Time
	err := s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(s.sql.Pending, sub).QueryRow(func(row pgx.Row) error { return row.Scan(&stats.Pending, &oldest) })
	})
	stats.OldestPending = orZero(oldest)
	return err
}
