package pgstore

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/publish"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// Tx returns a transaction of the host as PublishTx of package dispatcher takes it: the events are
// stored if and when it commits, and not at all if it does not. So an order and its webhook are
// one, with nothing between them to lose. Its Enqueue is the store's part alone, without the checks
// of Publish.
//
// It works at every isolation level and makes no other publisher wait, unless both store an event
// of the same ID. After an *events.InvalidError or store.ErrConflict the transaction is as it was.
// After any other error it can be used no more, as after any statement of PostgreSQL's that fails.
//
// The store cannot see whether and when the host commits.
func (s *Store) Tx(tx pgx.Tx) store.Tx { return hostTx{s, tx} }

// SQLTx is Tx for a host that uses database/sql, with pgx's driver
// (github.com/jackc/pgx/v5/stdlib).
func (s *Store) SQLTx(tx *sql.Tx) store.Tx { return hostTx{s, sqlTx{tx}} }

// sqlTx is a transaction of database/sql as a schema.Querier.
type sqlTx struct{ *sql.Tx }

func (tx sqlTx) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	return tx.QueryRowContext(ctx, query, args...)
}

// hostTx is a transaction of the host, of either kind. It implements [store.Tx]. All that it does
// is done in the transaction: the pool may have no other connection to give.
type hostTx struct {
	s  *Store
	tx schema.Querier
}

// Enqueue implements [store.Tx].
func (h hostTx) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := publish.Build(evs)
	if err == nil {
		err = h.s.beginOn(ctx, h.tx)
	}
	if err == nil && len(built) > 0 {
		err = h.s.publisher.InTx(ctx, h.tx, built)
	}
	return storeError("enqueue", err)
}

// CountPending implements [store.Tx]. It counts what the transaction has enqueued too.
func (h hostTx) CountPending(ctx context.Context, tenant string, limit int) (n int, err error) {
	err = h.s.beginOn(ctx, h.tx)
	if err == nil {
		// A negative LIMIT is an error of the server, which would end the host's transaction. Of all
		// shares: what the transaction has enqueued is in nobody's memory.
		row := h.tx.QueryRow(
			ctx, h.s.replica.SQL.CountPending, tenant, max(limit, 0), memory.AllShares(),
		)
		err = row.Scan(&n)
	}
	return n, storeError("count pending", err)
}

// OnCommit implements [store.Tx]. Neither pgx nor database/sql tells of a commit.
func (hostTx) OnCommit(func()) bool { return false }
