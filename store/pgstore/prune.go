package pgstore

import (
	"context"
	"errors"
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

// prune takes the first step that has something to do: erasures that were interrupted, what is
// canceled and what belonged to deleted subscriptions, and last what is past its retention.
func (s *Store) prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if more, err = s.resumeErasure(ctx); more || err != nil {
		return more, err
	}
	for _, sql := range [...]string{s.sql.SweepCanceled, s.sql.SweepDeleted} {
		if _, more, err = s.pruneStep(ctx, sql, pruneStep); more || err != nil {
			if err == nil {
				s.noticed(ctx)
			}
			return more, err
		}
	}
	first := rollup.At(time.Unix(0, s.clock.now()).Add(-rollup.Day))
	n, _, err := s.pruneStep(ctx, s.sql.Prune, pruneStep, keep(r.Delivered), keep(r.Failed), first)
	return n >= pruneStep, err
}

// pruneStep runs a statement that takes a step, unless another replica does. It returns how much
// that found; there is whether it had something to do.
func (s *Store) pruneStep(ctx context.Context, sql string, args ...any) (n int, there bool, err error) {
	for range tries {
		mine := false
		err = s.writeAfter(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.PruneLock, s.lockKey("prune")).QueryRow(func(row pgx.Row) error { return row.Scan(&mine) })
		}, func(b *batch) {
			if !mine {
				return
			}
			b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
				err := row.Scan(&n)
				if there = err == nil; errors.Is(err, pgx.ErrNoRows) {
					return nil
				}
				return err
			})
		})
		if err == nil || !transient(err) {
			return n, there && mine, err
		}
	}
	return n, there, err
}

// resumeErasure takes a step of an erasure that is not over.
func (s *Store) resumeErasure(ctx context.Context) (more bool, err error) {
	var seq int64
	err = s.readRow(ctx, s.sql.Erasing)(&seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = s.eraseStep(ctx, seq)
	return true, err
}

// keep is a retention in microseconds; nil when it is for ever.
func keep(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	us := micros(d)
	return &us
}
