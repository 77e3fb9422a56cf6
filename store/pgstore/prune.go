package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/tally"
)

// pruneStep is how many records of a kind one Prune takes.
const pruneStep = 1000

// Prune implements [store.History].
//
// One replica at a time prunes: to another it says that there is nothing to do.
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err = r.Validate(); err == nil {
		err = s.begin(ctx)
	}
	if err == nil {
		more, err = s.prune(ctx, r)
	}
	if err != nil {
		return false, fmt.Errorf("pgstore: prune: %w", err)
	}
	return more, nil
}

func (s *Store) prune(ctx context.Context, r store.Retention) (more bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var mine, sweepable bool
		if _, err := tx.Exec(ctx, "SELECT "+planByIndex+", set_config('idle_in_transaction_session_timeout', '10s', true)"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, s.sql.sweepable, s.lockKey("prune")).Scan(&mine, &sweepable); err != nil || !mine {
			return err
		}
		var swept, pruned int
		var b pgx.Batch
		if sweepable {
			b.Queue(s.sql.clerk)
			b.Queue(s.sql.sweep, pruneStep).QueryRow(func(row pgx.Row) error { return row.Scan(&swept) })
		} else {
			b.Queue(s.sql.prune, pruneStep, keep(r.Delivered), keep(r.Failed), slotSeconds, int64(tally.Day/time.Second)).
				QueryRow(func(row pgx.Row) error { return row.Scan(&pruned) })
		}
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		more = sweepable || pruned >= pruneStep
		return nil
	})
	return more, err
}

// keep is a retention in microseconds; nil when it is for ever.
func keep(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	us := micros(d)
	return &us
}
