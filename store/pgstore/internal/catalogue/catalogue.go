package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Catalogue stores subscriptions. It is safe for concurrent use.
type Catalogue struct{ *replica.Replica }

// Create stores a subscription, which the caller has validated. It returns store.ErrConflict if the
// ID is taken.
func (c *Catalogue) Create(
	ctx context.Context, sub *store.Subscription,
) (store.Subscription, error) {
	args := append([]any{sub.ID, sub.Tenant}, record.Settings(sub)...)
	args = append(args, record.TimeOrNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason,
		sub.SealedWith)
	out, err := c.writeOne(ctx, c.SQL.Create, args)
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrConflict
	}
	return out.Subscription, replica.InputError("subscription", err)
}

// writeOne runs a statement that changes a subscription and returns it. Without a row the error is
// pgx.ErrNoRows.
func (c *Catalogue) writeOne(
	ctx context.Context, sql string, args []any,
) (sub record.Subscription, err error) {
	var missed error // no error of the transaction: it has changed nothing, and commits
	err = c.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
			missed = sub.Scan(row)
			return nil
		})
	})
	if err == nil {
		err = missed
	}
	return sub, err
}

// Get returns a subscription. It returns store.ErrNotFound if there is no such one.
func (c *Catalogue) Get(ctx context.Context, id string) (store.Subscription, error) {
	sub, err := c.get(ctx, id)
	return sub.Subscription, err
}

func (c *Catalogue) get(ctx context.Context, id string) (sub record.Subscription, err error) {
	err = sub.Scan(c.DB.Row(ctx, c.SQL.Get, id))
	if errors.Is(err, pgx.ErrNoRows) || sqltx.State(err) == sqltx.InvalidText {
		err = store.ErrNotFound
	}
	return sub, err
}

// ChangeError is an error of the caller's function in Update.
type ChangeError struct{ Err error }

func (e *ChangeError) Error() string { return e.Err.Error() }
func (e *ChangeError) Unwrap() error { return e.Err }

// Update changes a subscription by a function. No lock is held while that runs: if another update
// has come between, it runs again on the result of that. Its error is a [ChangeError].
func (c *Catalogue) Update(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	for began := time.Now(); ; {
		before, err := c.get(ctx, id)
		if err != nil {
			return store.Subscription{}, err
		}
		draft := before.Subscription.Clone()
		if err := change(&draft); err != nil {
			return store.Subscription{}, &ChangeError{err}
		}
		if err := draft.Validate(); err != nil {
			return store.Subscription{}, err
		}
		after, err := c.update(ctx, &before, &draft)
		if err == nil {
			c.AfterNotices(ctx)
			return after.Subscription, nil
		}
		changed := errors.Is(err, pgx.ErrNoRows)
		if changed && time.Since(began) > sqltx.StatementTimeout {
			return store.Subscription{}, fmt.Errorf(
				"others have changed it again and again for %v; try again", sqltx.StatementTimeout)
		}
		if !changed && sqltx.State(err) != sqltx.DeadlockDetected {
			return store.Subscription{}, replica.InputError("subscription", err)
		}
	}
}

// update stores the draft unless the subscription has changed since. Then the error is
// pgx.ErrNoRows.
func (c *Catalogue) update(
	ctx context.Context, before *record.Subscription, draft *store.Subscription,
) (record.Subscription, error) {
	args := append([]any{before.Num, before.Version}, record.Settings(draft)...)
	overlap := record.TimeOrNull(draft.OverlapUntil)
	args = append(args, string(draft.Status), draft.DisabledReason, overlap, c.Schema.Table("events"),
		draft.SealedWith)
	return c.writeOne(ctx, c.SQL.Update, args)
}

// Delete removes a subscription. It returns store.ErrNotFound if there is no such one.
func (c *Catalogue) Delete(ctx context.Context, id string) error {
	var gone int64
	err := c.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		b.Queue(c.SQL.Remove, id).Exec(func(tag pgconn.CommandTag) error {
			gone = tag.RowsAffected()
			return nil
		})
	})
	if err == nil && gone == 0 || sqltx.State(err) == sqltx.InvalidText {
		err = store.ErrNotFound
	}
	if err == nil {
		c.AfterNotices(ctx)
	}
	return err
}
