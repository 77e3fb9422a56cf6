package sqltx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// How long things may take. A frozen server or a cut network ends no call by itself, so each call
// has a bound of its own here, and what a transaction holds on the server has one there (see
// limits).
const (
	// StatementTimeout bounds a transaction, with the wait for a connection.
	StatementTimeout = 30 * time.Second

	// Grace is how much longer a transaction that has begun may take when its caller's context
	// ends. It nearly always ends sooner, and cutting it off breaks the connection and leaves the
	// effect unknown.
	Grace = time.Second
)

// DB runs transactions on the connections of a pool. It is safe for concurrent use.
type DB struct {
	pool *pgxpool.Pool
	cut  context.Context
}

// New returns a DB on the pool. When cut ends, what is under way fails with the cause of that.
//
// It returns an error if the pool sends statements in a way that does not work here.
func New(pool *pgxpool.Pool, cut context.Context) (*DB, error) {
	if pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("the pool's default_query_exec_mode is simple_protocol, which has no " +
			"types for what this store sends; use exec, which prepares no statements either")
	}
	return &DB{pool: pool, cut: cut}, nil
}

// Bounds say when a transaction is cut off.
type Bounds struct {
	Grace time.Duration // after the end of the caller's context
	Limit time.Duration // in any case
}

// Bound returns a context for a transaction: it ends b.Grace after ctx does, when the DB is cut
// off, and after b.Limit in any case. Its cause says which it was.
func (d *DB) Bound(ctx context.Context, b Bounds) (context.Context, context.CancelFunc) {
	// Apart from ctx, so that its end does not break the connection at once; see Grace.
	bounded, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	total := time.AfterFunc(b.Limit, func() { cancel(ErrSlow) })
	stopCaller := context.AfterFunc(ctx, func() {
		if b.Grace == 0 {
			cancel(ctx.Err())
			return
		}
		timer := time.AfterFunc(b.Grace, func() { cancel(ctx.Err()) })
		// Mostly the call is over sooner: then nothing is left behind.
		context.AfterFunc(bounded, func() { timer.Stop() })
	})
	stopCut := context.AfterFunc(d.cut, func() { cancel(context.Cause(d.cut)) })
	return bounded, func() {
		total.Stop()
		stopCaller()
		stopCut()
		cancel(nil)
	}
}

// WhyEnded adds to an error why the context of its transaction has ended, if it has: the
// connection's own error says only that it broke.
func WhyEnded(bounded context.Context, err error) error {
	if cause := context.Cause(bounded); err != nil && cause != nil && State(err) == "" {
		return fmt.Errorf("%w (%v)", cause, err)
	}
	return err
}

// begin is how each transaction begins. It says everything that a database or a user may have other
// defaults for. Those that only read are READ WRITE too: a standby refuses that, and what it has
// may be old.
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// Write runs statements in a transaction that changes something, in one round trip. If ctx ends
// before it has begun, nothing is done; after that it has [Grace] to end.
func (d *DB) Write(ctx context.Context, settings string, fill func(*Batch)) error {
	return d.WriteWithin(ctx, Bounds{Grace, StatementTimeout}, settings, fill)
}

// WriteWithin is Write with bounds of the caller's.
func (d *DB) WriteWithin(ctx context.Context, b Bounds, settings string, fill func(*Batch)) error {
	return d.transact(ctx, b, settings, fill)
}

// Read runs statements in a transaction that changes nothing, in one round trip. It ends with ctx.
func (d *DB) Read(ctx context.Context, settings string, fill func(*Batch)) error {
	return d.transact(ctx, Bounds{Limit: StatementTimeout}, settings, fill)
}

func (d *DB) transact(
	ctx context.Context, within Bounds, settings string, fill func(*Batch),
) error {
	bounded, cancel := d.Bound(ctx, within)
	defer cancel()
	err := d.withConn(ctx, bounded, func(conn *pgx.Conn) error {
		var b Batch
		b.begin(settings)
		fill(&b)
		b.commit()
		return b.run(bounded, conn)
	})
	return WhyEnded(bounded, err)
}

// WriteAfter runs a transaction in two round trips: what it writes depends on what it has read.
func (d *DB) WriteAfter(ctx context.Context, settings string, read, write func(*Batch)) error {
	bounded, cancel := d.Bound(ctx, Bounds{Grace, StatementTimeout})
	defer cancel()
	err := d.withConn(ctx, bounded, func(conn *pgx.Conn) error {
		var first, rest Batch
		first.begin(settings)
		read(&first)
		if err := first.run(bounded, conn); err != nil {
			return err // the pool closes a connection that is in a transaction
		}
		write(&rest)
		rest.commit()
		return rest.run(bounded, conn)
	})
	return WhyEnded(bounded, err)
}

// withConn runs f with a connection of the pool. It waits for one no longer than ctx lasts, nor
// than bounded does: a transaction that has not begun needs no grace.
func (d *DB) withConn(ctx, bounded context.Context, f func(*pgx.Conn) error) error {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(bounded, cancel)()
	conn, err := d.pool.Acquire(waiting)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return notBegun{err}
	}
	defer conn.Release()
	return f(conn.Conn())
}

// Row runs a statement that reads one row, which the returned function scans. Without a row that
// returns pgx.ErrNoRows.
func (d *DB) Row(ctx context.Context, sql string, args ...any) RowFunc {
	return func(dest ...any) error {
		return d.Rows(ctx, func(rows pgx.Rows) error { return onlyRow{rows}.Scan(dest...) }, sql, args...)
	}
}

// Rows runs a statement whose rows f reads.
func (d *DB) Rows(ctx context.Context, f func(pgx.Rows) error, sql string, args ...any) error {
	return d.Read(ctx, Plain, func(b *Batch) { b.Queue(sql, args...).Query(f) })
}
