package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
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
	var sweepable, mine bool
	if err := s.readRow(ctx, s.sql.sweepable)(&sweepable); err != nil {
		return false, err
	}
	var done int
	err = s.write(ctx, indexSettings, func(b *batch) {
		// The lock is of a statement before the one that prunes, which then sees what the last who had
		// it has left. Without it that one does nothing.
		b.Queue(s.sql.pruneLock, s.lockKey("prune")).
			QueryRow(func(row pgx.Row) error { return row.Scan(&mine) })
		scan := func(row pgx.Row) error { return row.Scan(&done) }
		if sweepable {
			b.Queue(s.sql.clerk)
			b.Queue(s.sql.sweep, pruneStep).QueryRow(scan)
		} else {
			b.Queue(s.sql.prune, pruneStep, keep(r.Delivered), keep(r.Failed), bucketSeconds,
				int64(rollup.Day/time.Second)).QueryRow(scan)
		}
	})
	return mine && (sweepable || done >= pruneStep), err
}

// keep is a retention in microseconds; nil when it is for ever.
func keep(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	us := micros(d)
	return &us
}
