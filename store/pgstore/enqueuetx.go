package pgstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
)

// EnqueueTx is Enqueue in a transaction of the host's: the events are stored if and when it
// commits, and not at all if it does not. So an order and its webhook are one, with nothing between
// them to lose.
//
// It works at every isolation level and makes no other publisher wait, unless both store an event
// of the same ID. After an error other than an *events.InvalidError the transaction can be used no
// more, as after any statement of PostgreSQL's that fails, but for store.ErrConflict, which leaves
// it as it was.
func (s *Store) EnqueueTx(ctx context.Context, tx pgx.Tx, evs ...events.Event) error {
	err := s.enqueueTx(ctx, evs, func(query string, args []any) scanner { return tx.QueryRow(ctx, query, args...) })
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}

// EnqueueSQLTx is EnqueueTx for a host that uses database/sql, with pgx's driver
// (github.com/jackc/pgx/v5/stdlib).
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

// scanner is a row of pgx or of database/sql.
type scanner interface{ Scan(dest ...any) error }

// enqueueTx stores the events in a transaction of somebody else's. The notification goes with it;
// the reader of Ready here gets one like any other.
func (s *Store) enqueueTx(ctx context.Context, evs []events.Event, query func(string, []any) scanner) error {
	built, _, err := build(evs)
	if err != nil {
		return err
	}
	if err := s.beginOn(ctx, txQuerier(query)); err != nil || len(built) == 0 {
		return err
	}
	var ok bool
	var other *string
	var ignored any // the events: whoever owns their shares learns of them when the transaction has committed
	row := query(s.sql.Enqueue, append(enqueueArgs(built), int64(0), s.table("events"), true))
	if err := row.Scan(&ok, &other, &ignored, &ignored, &ignored); err != nil {
		return told("event", err)
	}
	if !ok {
		return conflict(*other)
	}
	if s.o.PollOnly {
		return nil
	}
	return query("SELECT pg_notify($1, '')::text", []any{s.channel()}).Scan(&ignored)
}
