package history

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// pruneStep is how many records of a kind one Prune takes. It keeps a step within the few
// milliseconds that the contract of Prune allows.
const pruneStep = 1000

// Prune takes the first step that has something to do: erasures that were interrupted, what has
// expired, what is canceled and what belonged to deleted subscriptions, and last what is past its
// retention. The caller has validated the retention.
//
// The order matters: what an erasure or an unsubscription has ended gets rows that say so, and only
// then can retention count for it. A step that has found something ends the call, and the caller
// comes again while more is true.
func (h *History) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if more, err = h.resumeErasure(ctx); more || err != nil {
		return more, err
	}
	for _, sql := range [...]string{
		h.SQL.PurgeExpired, h.SQL.PurgeCanceled, h.SQL.PurgeDeleted,
	} {
		var n int
		if more, err = h.pruneStep(ctx, sql, []any{&n}, pruneStep); more || err != nil {
			// The step has written notices: the memory of an owner may have it as pending.
			if err == nil {
				h.AfterNotices(ctx)
			}
			return more, err
		}
	}
	if more, err = h.pruneFinished(ctx, r); more || err != nil {
		return more, err
	}
	return h.noteTimes(ctx)
}

// timesStep is how many numbers of events a row of event_times stands for.
const timesStep = 10_000

// noteTimes notes until when the next events were enqueued, for those who search since a time (see
// search.since), and reports whether there may be more to note.
func (h *History) noteTimes(ctx context.Context) (more bool, err error) {
	var n int
	_, err = h.pruneStep(ctx, h.SQL.NoteTimes, []any{&n}, timesStep)
	return n > 0, err
}

// pruned is when those had finished that the last step has removed last. Nil at the beginning.
type pruned struct{ delivered, failed *time.Time }

// pruneFinished takes a step of removing what is past its retention.
func (h *History) pruneFinished(ctx context.Context, r store.Retention) (more bool, err error) {
	var n int
	var to pruned
	args := h.PruneArgs(r)
	there, err := h.pruneStep(ctx, h.SQL.Prune, []any{&n, &to.delivered, &to.failed}, args...)
	if err != nil || !there {
		return false, err
	}
	// A kind that filled its step may have more; one that did not is done for now.
	more = n >= pruneStep
	h.mu.Lock()
	defer h.mu.Unlock()
	// From the beginning next time: steps pass over what somebody has locked, and an import brings
	// what has finished earlier.
	if h.pruned = to; !more {
		h.pruned = pruned{}
	}
	return more, nil
}

// PruneArgs returns the arguments of the statement of the next step.
func (h *History) PruneArgs(r store.Retention) []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	// By the server's clock as this replica knows it. Counts older than three days are in no
	// statistics.
	first := rollup.At(time.Unix(0, h.Clock.Now()).Add(-rollup.Kept))
	return []any{
		pruneStep, keep(r.Delivered), keep(r.Failed), first, h.pruned.delivered, h.pruned.failed,
	}
}

// pruneStep runs a statement that takes a step, unless another replica does. It reads the row that
// the statement returns, and reports whether there was one. Two replicas in the same step would
// wait for each other's rows, or do the same work twice.
func (h *History) pruneStep(
	ctx context.Context, sql string, row []any, args ...any,
) (there bool, err error) {
	mine := false
	err = sqltx.Retry(func() error {
		// The lock is asked for and not waited for: a call that does not get it has nothing to do.
		// It ends with the transaction, so a replica that dies keeps it no longer than its
		// connection.
		return h.DB.WriteAfter(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.PruneLock, h.PruneLock()).QueryRow(sqltx.One(&mine))
		}, func(b *sqltx.Batch) {
			if !mine {
				return
			}
			b.Queue(sql, args...).QueryRow(func(r pgx.Row) error {
				err := r.Scan(row...)
				// Those that purge return no row if there is nothing to do, and 0 if they have just
				// finished something: then there is more to do.
				if there = err == nil; errors.Is(err, pgx.ErrNoRows) {
					return nil
				}
				return err
			})
		})
	})
	return there && mine, err
}

// keep is a retention in microseconds; nil if it is for ever. NULL makes the comparison in the
// statement unknown, so nothing is chosen.
func keep(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	us := record.Micros(d)
	return &us
}
