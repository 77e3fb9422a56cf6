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

// Catalogue stores subscriptions. It is safe for concurrent use. It keeps nothing in memory: each
// call reads or writes the tables, so replicas see each other's changes at once. What owners have
// in memory of a subscription follows by notices.
type Catalogue struct{ *replica.Replica }

// Create stores a subscription, which the caller has validated. It returns store.ErrConflict if the
// ID is taken. It writes no notice: nothing is pending of a new subscription, and memory reads one
// when it first has something.
func (c *Catalogue) Create(
	ctx context.Context, sub *store.Subscription,
) (store.Subscription, error) {
	// In the order of the parameters in create.sql.
	args := append([]any{sub.ID, sub.Tenant}, record.Settings(sub)...)
	args = append(args, record.TimeOrNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason)
	args = append(args, record.SealedAndSettings(sub)...)
	out, err := c.writeOne(ctx, sub.Tenant, c.SQL.Create, args)
	// ON CONFLICT DO NOTHING returns no row. An error of the index would abort the transaction
	// instead, and write to the server's log.
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrConflict
	}
	return out.Subscription, replica.InputError("subscription", err)
}

// writeOne runs a statement that changes a subscription of a tenant and returns it. Without a row
// the error is pgx.ErrNoRows. The caller says what that means: for Create the ID is taken, for
// Update somebody was quicker.
func (c *Catalogue) writeOne(
	ctx context.Context, tenant, sql string, args []any,
) (sub record.Subscription, err error) {
	var missed error // no error of the transaction: it has changed nothing, and commits
	err = c.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		c.QueueSettled(b, tenant)
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

// get is Get with the number and the version too, which Update compares.
func (c *Catalogue) get(ctx context.Context, id string) (sub record.Subscription, err error) {
	err = sub.Scan(c.DB.Row(ctx, c.SQL.Get, id))
	// An ID with a NUL or invalid UTF-8 can't have been stored, so for a reader it is an unknown
	// one.
	if errors.Is(err, pgx.ErrNoRows) || sqltx.State(err) == sqltx.InvalidText {
		err = store.ErrNotFound
	}
	return sub, err
}

// ChangeError is an error of the caller's function in Update. The façade returns it to the caller
// as it is: it is no failure of the store.
type ChangeError struct{ Err error }

func (e *ChangeError) Error() string { return e.Err.Error() }
func (e *ChangeError) Unwrap() error { return e.Err }

// Update changes a subscription by a function. No lock is held while that runs: if another update
// has come between, it runs again on the result of that. Its error is a [ChangeError].
//
// A row lock over the caller's function would wait for code that may do anything, such as a request
// over the network, and idle_in_transaction_session_timeout would end the transaction after 5 s.
// The version finds the conflict instead. So change may run several times, and must only change
// what it is given.
func (c *Catalogue) Update(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	for began := time.Now(); ; {
		before, err := c.get(ctx, id)
		if err != nil {
			return store.Subscription{}, err
		}
		// A clone, with maps and slices of its own: before must stay what was read, for the next
		// try too.
		draft := before.Subscription.Clone()
		if err := change(&draft); err != nil {
			return store.Subscription{}, &ChangeError{err}
		}
		// In each try: whether the result is valid depends on what the function has found.
		if err := draft.Validate(); err != nil {
			return store.Subscription{}, err
		}
		after, err := c.update(ctx, &before, &draft)
		if err == nil {
			// The owner must not claim by the old state after this call has returned. If it is this
			// replica, it looks now. If it is another, its next Claim finds the notice by itself.
			c.AfterNotices(ctx)
			return after.Subscription, nil
		}
		// No row has two causes: another version, or a deletion. The next get tells them apart.
		changed := errors.Is(err, pgx.ErrNoRows)
		// Under ever more updates each round has one winner, and it need not be this call.
		if changed && time.Since(began) > sqltx.StatementTimeout {
			return store.Subscription{}, fmt.Errorf(
				"others have changed it again and again for %v; try again", sqltx.StatementTimeout)
		}
		// Of a deadlock the server has rolled back this side, so it is tried like a lost race.
		// Every other error ends the call.
		if !changed && sqltx.State(err) != sqltx.DeadlockDetected {
			return store.Subscription{}, replica.InputError("subscription", err)
		}
	}
}

// update stores the draft unless the subscription has changed since. Then the error is
// pgx.ErrNoRows. It takes the identity by number: under the same ID there may be another
// subscription by now.
func (c *Catalogue) update(
	ctx context.Context, before *record.Subscription, draft *store.Subscription,
) (record.Subscription, error) {
	args := append([]any{before.Num, before.Version}, record.Settings(draft)...)
	overlap := record.TimeOrNull(draft.OverlapUntil)
	args = append(args, string(draft.Status), draft.DisabledReason, overlap, c.Schema.Table("events"))
	args = append(args, record.SealedAndSettings(draft)...)
	return c.writeOne(ctx, before.Tenant, c.SQL.Update, args)
}

// Delete removes a subscription. It returns store.ErrNotFound if there is no such one. The
// deliveries stay in the table and are no longer listed, as lists join the subscription; Prune
// removes them in steps, so that the call's time does not depend on how many there are.
func (c *Catalogue) Delete(ctx context.Context, id string) error {
	var gone int64
	err := c.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		// The last INSERT of the statement has a row for the subscription, if there was one.
		c.QueueSettledOf(b, id)
		b.Queue(c.SQL.Remove, []string{id}).Exec(func(tag pgconn.CommandTag) error {
			gone = tag.RowsAffected()
			return nil
		})
	})
	if err == nil && gone == 0 || sqltx.State(err) == sqltx.InvalidText {
		err = store.ErrNotFound
	}
	// Memory forgets the subscription by its notice, and with it what it has leased.
	if err == nil {
		c.AfterNotices(ctx)
	}
	return err
}
