package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// batch is the statements of one transaction or more, which go to the server in one round trip.
//
// It differs from [pgx.Batch] in that each statement ends with a Sync. A server that waits for the
// next statement is then "idle in transaction", and idle_in_transaction_session_timeout frees what
// the transaction has locked when the rest never comes. Between two statements of a [pgx.Batch] a
// server waits for ever, with its locks.
type batch struct{ steps []*step }

// step is one statement.
type step struct {
	sql  string
	args []any
	read func(*pgconn.ResultReader, *pgx.Conn) error // nil: the result is of no interest
}

// The beginnings of transactions. They say everything that a database or a user may have other
// defaults for.
const (
	beginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	beginRead  = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
)

// Queue adds a statement.
func (b *batch) Queue(sql string, args ...any) *step {
	st := &step{sql: sql, args: args}
	b.steps = append(b.steps, st)
	return st
}

// begin starts a transaction.
func (b *batch) begin(begin, settings string) {
	b.Queue(begin)
	b.Queue(settings)
}

// commit ends it.
func (b *batch) commit() {
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("the server said %s to COMMIT", tag)
		}
		return nil
	})
}

// Query has f read the rows.
func (st *step) Query(f func(pgx.Rows) error) {
	st.read = func(rr *pgconn.ResultReader, conn *pgx.Conn) error {
		rows := pgx.RowsFromResultReader(conn.TypeMap(), rr)
		defer rows.Close()
		if err := f(rows); err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	}
}

// QueryRow has f read the only row.
func (st *step) QueryRow(f func(pgx.Row) error) {
	st.Query(func(rows pgx.Rows) error { return f(onlyRow{rows}) })
}

// Exec has f look at what the statement has done.
func (st *step) Exec(f func(pgconn.CommandTag) error) {
	st.read = func(rr *pgconn.ResultReader, _ *pgx.Conn) error {
		tag, err := rr.Close()
		if err != nil {
			return err
		}
		return f(tag)
	}
}

// onlyRow is the first of some rows as a row.
type onlyRow struct{ rows pgx.Rows }

func (r onlyRow) Scan(dest ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// run sends the statements and reads what the server says. It returns the first error. The server
// has then rolled back the transaction that failed, but those before it are committed.
func (b *batch) run(ctx context.Context, conn *pgx.Conn) error {
	described, err := b.prepare(ctx, conn)
	if err != nil {
		return err
	}
	p := conn.PgConn().StartPipeline(ctx)
	var eqb pgx.ExtendedQueryBuilder
	for i, st := range b.steps {
		if err := eqb.Build(conn.TypeMap(), described[i], st.args); err != nil {
			// Nothing was flushed. A pipeline with unsent requests closes its connection.
			_ = p.Close()
			return err
		}
		if sd := described[i]; sd != nil {
			p.SendQueryPrepared(sd.Name, eqb.ParamValues, eqb.ParamFormats, eqb.ResultFormats)
		} else {
			p.SendQueryParams(st.sql, eqb.ParamValues, nil, eqb.ParamFormats, eqb.ResultFormats)
		}
		p.SendPipelineSync()
	}
	err = p.Flush()
	for i := 0; err == nil && i < len(b.steps); i++ {
		err = b.steps[i].result(p, conn)
	}
	// Close reads the rest. What comes after the first error only repeats that the transaction
	// failed.
	if closed := p.Close(); err == nil {
		err = closed
	}
	if staleStatement(err) {
		_ = conn.Close(ctx) // the pool makes another, which has prepared nothing
	}
	return err
}

// result reads what the server says to the statement.
func (st *step) result(p *pgconn.Pipeline, conn *pgx.Conn) error {
	results, err := p.GetResults()
	if err != nil {
		return err
	}
	rr, ok := results.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("pipeline: got %T, want a result", results)
	}
	read := st.read
	if read == nil {
		read = func(rr *pgconn.ResultReader, _ *pgx.Conn) error { _, err := rr.Close(); return err }
	}
	if err := read(rr, conn); err != nil {
		return err
	}
	_, err = p.GetResults() // the Sync
	return err
}

// The statements that were prepared on a connection, by their text. They live as long as it does.
type prepared map[string]*pgconn.StatementDescription

const (
	preparedKey = "outhook/pgstore"
	maxPrepared = 512 // those of listings are many; what is over is sent unprepared
)

// prepare returns the descriptions of the statements, those that are to be sent unprepared nil. It
// prepares what the connection has not seen yet, in a round trip of its own.
func (b *batch) prepare(ctx context.Context, conn *pgx.Conn) ([]*pgconn.StatementDescription, error) {
	described := make([]*pgconn.StatementDescription, len(b.steps))
	if conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return described, nil
	}
	data := conn.PgConn().CustomData()
	known, ok := data[preparedKey].(prepared)
	if !ok {
		known = make(prepared)
		data[preparedKey] = known
	}
	if err := known.add(ctx, conn, b.steps); err != nil {
		return nil, err
	}
	for i, st := range b.steps {
		described[i] = known[st.sql]
	}
	return described, nil
}

// add prepares the statements that are not known.
func (known prepared) add(ctx context.Context, conn *pgx.Conn, steps []*step) error {
	var fresh []*pgconn.StatementDescription
	var p *pgconn.Pipeline
	seen := make(map[string]bool)
	for _, st := range steps {
		if known[st.sql] != nil || seen[st.sql] || len(known)+len(fresh) >= maxPrepared {
			continue
		}
		seen[st.sql] = true
		if p == nil {
			p = conn.PgConn().StartPipeline(ctx)
		}
		sd := &pgconn.StatementDescription{Name: fmt.Sprintf("outhook_%d", len(known)+len(fresh)), SQL: st.sql}
		p.SendPrepare(sd.Name, sd.SQL, nil)
		fresh = append(fresh, sd)
	}
	if p == nil {
		return nil
	}
	err := p.Sync()
	for i := 0; err == nil && i < len(fresh); i++ {
		var got any
		if got, err = p.GetResults(); err == nil {
			sd, ok := got.(*pgconn.StatementDescription)
			if !ok {
				err = fmt.Errorf("pipeline: got %T, want a description", got)
				break
			}
			fresh[i].ParamOIDs, fresh[i].Fields = sd.ParamOIDs, sd.Fields
		}
	}
	if closed := p.Close(); err == nil {
		err = closed
	}
	if err != nil {
		// Some may be prepared, under names that are taken now. Another connection begins anew.
		_ = conn.Close(ctx)
		return err
	}
	for _, sd := range fresh {
		known[sd.SQL] = sd
	}
	return nil
}

// staleStatement reports whether a prepared statement is not on the connection any more, or not as
// it was: somebody has sent DISCARD ALL, or another version of the host has changed a table.
func staleStatement(err error) bool {
	switch state(err) {
	case invalidStatementName, featureNotSupported:
		return true
	}
	return false
}

// checkExecMode refuses the way to send statements that this store does not work with.
func checkExecMode(pool *pgxpool.Pool) error {
	if pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return errors.New("pgstore: the pool's default_query_exec_mode is simple_protocol, which has no types for " +
			"what this store sends; use exec, which prepares no statements either")
	}
	return nil
}
