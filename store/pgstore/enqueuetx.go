package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// EnqueueTx is Enqueue in a transaction of the host's: the events are stored if and when it commits, and not at all if it
// does not. So an order and its webhook are one, with nothing between them to lose.
//
// It works at every isolation level and makes no other publisher wait, unless both store an event of the same ID. After an
// error other than an *events.InvalidError the transaction can be used no more, as after any statement of PostgreSQL's
// that fails, but for store.ErrConflict, which leaves it as it was.
func (s *Store) EnqueueTx(ctx context.Context, tx pgx.Tx, evs ...events.Event) error {
	err := s.enqueueTx(ctx, evs, func(query string, args []any) scanner { return tx.QueryRow(ctx, query, args...) })
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}

// EnqueueSQLTx is EnqueueTx for a host that uses database/sql, with pgx's driver (github.com/jackc/pgx/v5/stdlib).
func (s *Store) EnqueueSQLTx(ctx context.Context, tx *sql.Tx, evs ...events.Event) error {
	err := s.enqueueTx(ctx, evs, func(query string, args []any) scanner { return tx.QueryRowContext(ctx, query, args...) })
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}

// txQuerier asks in a transaction of the host's.
type txQuerier func(query string, args []any) scanner

// QueryRow implements querier. The context is that of the call.
func (q txQuerier) QueryRow(_ context.Context, sql string, args ...any) pgx.Row { return q(sql, args) }

// exec runs a statement that has no result.
func (q txQuerier) exec(statement string) error {
	err := q(statement, nil).Scan()
	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// scanner is a row of pgx or of database/sql.
type scanner interface{ Scan(dest ...any) error }

// enqueueTxSliced stores the events in one statement, or in several when they are for many
// subscriptions.
func (s *Store) enqueueTxSliced(evs []newEvent, query txQuerier) error {
	err := s.enqueueTxOnce(evs, sliceDeliveries, query)
	var wide *tooWide
	if !errors.As(err, &wide) {
		return err
	}
	// The first statement has looked for conflicts of all, but another publisher may have committed one
	// since. Then what the slices before it have stored must go, or the host could commit it.
	if err := query.exec("SAVEPOINT outhook_enqueue"); err != nil {
		return err
	}
	for _, slice := range wide.slices(evs) {
		err := s.enqueueTxOnce(slice, math.MaxInt64, query)
		if errors.Is(err, store.ErrConflict) {
			if failed := query.exec("ROLLBACK TO SAVEPOINT outhook_enqueue"); failed != nil {
				return failed
			}
		}
		if err != nil {
			return err
		}
	}
	return query.exec("RELEASE SAVEPOINT outhook_enqueue")
}

// enqueueTxOnce stores the events in one statement, unless they have more deliveries than most.
func (s *Store) enqueueTxOnce(evs []newEvent, most int, query txQuerier) error {
	return enqueued(query(s.sql.enqueue, append(enqueueArgs(evs), most, s.table("events"))), evs)
}

// enqueueTx stores the events in a transaction of somebody else's. The notification goes with it; the reader of Ready here
// gets one like any other.
func (s *Store) enqueueTx(ctx context.Context, evs []events.Event, query func(string, []any) scanner) error {
	built, _, err := build(evs)
	if err != nil {
		return err
	}
	if err := s.beginOn(ctx, txQuerier(query)); err != nil || len(built) == 0 {
		return err
	}
	if err := s.enqueueTxSliced(built, query); err != nil || s.o.PollOnly {
		return told("event", err)
	}
	var ignored any
	return query("SELECT pg_notify($1, '')::text", []any{s.channel()}).Scan(&ignored)
}
