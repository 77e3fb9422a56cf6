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
// Pending is counted: about a tenth of a second for a million.
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
	var oldest *time.Time
	columns := []any{&stats.Subscriptions, &stats.Pending, &stats.InFlight, &oldest}
	if id == "" {
		err = s.readRow(ctx, s.sql.statsAll)(columns...)
		stats.OldestPending = orZero(oldest)
		return stats, err
	}
	var h health
	var since *time.Time
	var sub int64
	var now time.Time
	columns = append(append(columns, h.columns()...), &since, &sub, &now)
	err = s.readRow(ctx, s.sql.statsOne, id)(columns...)
	if errors.Is(err, pgx.ErrNoRows) || state(err) == invalidText {
		return stats, store.ErrNotFound
	}
	if err != nil {
		return stats, err
	}
	stats.OldestPending, stats.Health, stats.FailingSince = orZero(oldest), h.record(), orZero(since)
	w, err := s.window(ctx, sub, now)
	stats.Hour, stats.Day = w.Hour(), w.Day()
	return stats, err
}
