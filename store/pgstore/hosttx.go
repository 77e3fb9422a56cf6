package pgstore

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/pgstore/internal/publish"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// EnqueueTx is Enqueue in a transaction of the host's: the events are stored if and when it
// commits, and not at all if it does not. So an order and its webhook are one, with nothing between
// them to lose.
//
// It works at every isolation level and makes no other publisher wait, unless both store an event
// of the same ID. After an *events.InvalidError or store.ErrConflict the transaction is as it was.
// After any other error it can be used no more, as after any statement of PostgreSQL's that fails.
func (s *Store) EnqueueTx(ctx context.Context, tx pgx.Tx, evs ...events.Event) error {
	return storeError("enqueue", s.enqueueTx(ctx, tx, evs))
}

// EnqueueSQLTx is EnqueueTx for a host that uses database/sql, with pgx's driver
// (github.com/jackc/pgx/v5/stdlib).
func (s *Store) EnqueueSQLTx(ctx context.Context, tx *sql.Tx, evs ...events.Event) error {
	return storeError("enqueue", s.enqueueTx(ctx, sqlTx{tx}, evs))
}

// sqlTx is a transaction of database/sql as a schema.Querier.
type sqlTx struct{ *sql.Tx }

func (tx sqlTx) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	return tx.QueryRowContext(ctx, query, args...)
}

func (s *Store) enqueueTx(ctx context.Context, tx schema.Querier, evs []events.Event) error {
	built, err := publish.Build(evs)
	if err != nil {
		return err
	}
	// The check too is made in the host's transaction: with a pool of one connection there is no
	// other.
	if err := s.beginOn(ctx, tx); err != nil || len(built) == 0 {
		return err
	}
	return s.publisher.InTx(ctx, tx, built)
}
