package sqltx

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Batch is the statements of one transaction or more, which go to the server in one round trip.
//
// It differs from [pgx.Batch] in that each statement ends with a Sync. A server that waits for the
// next statement is then "idle in transaction", and idle_in_transaction_session_timeout frees what
// the transaction has locked when the rest never comes. Between two statements of a [pgx.Batch] a
// server waits for ever, with its locks.
type Batch struct{ steps []*Step }

// Step is one statement.
type Step struct {
	sql  string
	args []any
	read func(*pgconn.ResultReader, *pgx.Conn) error // nil: the result is of no interest
}

// Queue adds a statement.
func (b *Batch) Queue(sql string, args ...any) *Step {
	st := &Step{sql: sql, args: args}
	b.steps = append(b.steps, st)
	return st
}

// begin starts a transaction.
func (b *Batch) begin(settings string) {
	b.Queue(begin)
	b.Queue(settings)
}

// commit ends it.
func (b *Batch) commit() {
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("the server said %s to COMMIT", tag)
		}
		return nil
	})
}

// Query has f read the rows.
func (st *Step) Query(f func(pgx.Rows) error) {
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
func (st *Step) QueryRow(f func(pgx.Row) error) {
	st.Query(func(rows pgx.Rows) error { return f(onlyRow{rows}) })
}

// Exec has f look at what the statement has done.
func (st *Step) Exec(f func(pgconn.CommandTag) error) {
	st.read = func(rr *pgconn.ResultReader, _ *pgx.Conn) error {
		tag, err := rr.Close()
		if err != nil {
			return err
		}
		return f(tag)
	}
}

// run sends the statements and reads what the server says. It returns the first error. The server
// has then rolled back the transaction that failed, but those before it are committed.
func (b *Batch) run(ctx context.Context, conn *pgx.Conn) error {
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
	if isUnusable(err) {
		_ = conn.Close(ctx) // the pool makes another
	}
	return err
}

// result reads what the server says to the statement.
func (st *Step) result(p *pgconn.Pipeline, conn *pgx.Conn) error {
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
