package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// How long things may take. A frozen server or a cut network ends no call by itself, so each has a
// bound of its own here, and what a transaction holds on the server has one there (see limits).
const (
	// statementTimeout bounds a transaction, with the wait for a connection.
	statementTimeout = 30 * time.Second

	// afterContext is how much longer a transaction that has begun may take when its caller's
	// context ends. It nearly always ends sooner, and cutting it off breaks the connection and
	// leaves the effect unknown: a Claim that is cut off keeps leases that nobody has.
	afterContext = time.Second

	// afterClose is how much longer one may take when the store is closed, and giveBackTimeout
	// bounds the last of all.
	afterClose      = 5 * time.Second
	giveBackTimeout = 2 * time.Second

	// queueTimeout bounds how long a call waits for those before it to be done.
	queueTimeout = 5 * time.Minute
)

// limits are what the server goes by in each transaction, whatever the database or user has set:
//
//   - A statement that somebody else's lock holds up fails after 10 s, and any after 30 s.
//   - When the client sends no more, the transaction is rolled back after 5 s, and when the network
//     is cut and the server has nothing to send, keepalives notice that within 8 s.
//   - When it has something to send, nobody reading it for 10 s ends the connection.
//
// PostgreSQL 17 bounds the whole transaction too.
const limits = `set_config('statement_timeout', '30s', true), set_config('lock_timeout', '10s', true), ` +
	`set_config('idle_in_transaction_session_timeout', '5s', true), ` +
	`set_config('tcp_keepalives_idle', '5', true), set_config('tcp_keepalives_interval', '1', true), ` +
	`set_config('tcp_keepalives_count', '3', true), set_config('tcp_user_timeout', '10s', true), ` +
	`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', '35s', true) END`

// errSlow is the cause of the end of a context when the server has not answered in time.
var errSlow = fmt.Errorf("the server has not answered in time: %w", context.DeadlineExceeded)

// errQueue is what a call gets that waited for its turn for too long.
var errQueue = fmt.Errorf("it has waited for %v for those before it: %w", queueTimeout, context.DeadlineExceeded)

// bound returns a context for a transaction: it ends grace after ctx does, afterClose after the
// store is closed, and after limit in any case.
func (s *Store) bound(
	ctx context.Context, grace, limit time.Duration,
) (context.Context, context.CancelFunc) {
	bounded, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	total := time.AfterFunc(limit, func() { cancel(errSlow) })
	stopCaller := context.AfterFunc(ctx, func() {
		if grace == 0 {
			cancel(ctx.Err())
			return
		}
		timer := time.AfterFunc(grace, func() { cancel(ctx.Err()) })
		context.AfterFunc(bounded, func() { timer.Stop() })
	})
	stopClose := context.AfterFunc(s.cut, func() { cancel(store.ErrClosed) })
	return bounded, func() {
		total.Stop()
		stopCaller()
		stopClose()
		cancel(nil)
	}
}

// write runs statements in a transaction that changes something, in one round trip. When ctx ends
// before it has begun nothing is done; after that it has some time to end.
func (s *Store) write(ctx context.Context, settings string, fill func(*batch)) error {
	return s.transact(ctx, afterContext, beginWrite, settings, fill)
}

// read runs statements in a transaction that changes nothing, in one round trip.
func (s *Store) read(ctx context.Context, settings string, fill func(*batch)) error {
	return s.transact(ctx, 0, beginRead, settings, fill)
}

func (s *Store) transact(
	ctx context.Context, grace time.Duration, begin, settings string, fill func(*batch),
) error {
	return s.transactWithin(ctx, grace, statementTimeout, begin, settings, fill)
}

// transactWithin is transact with a bound of its own.
func (s *Store) transactWithin(
	ctx context.Context, grace, limit time.Duration, begin, settings string, fill func(*batch),
) error {
	bounded, cancel := s.bound(ctx, grace, limit)
	defer cancel()
	err := s.withConn(ctx, bounded, func(conn *pgx.Conn) error {
		var b batch
		b.begin(begin, settings)
		fill(&b)
		b.commit()
		return b.run(bounded, conn)
	})
	return s.whyEnded(bounded, err)
}

// writeAfter runs a transaction in two round trips: what it writes goes by what it has read.
func (s *Store) writeAfter(ctx context.Context, settings string, read, write func(*batch)) error {
	bounded, cancel := s.bound(ctx, afterContext, statementTimeout)
	defer cancel()
	err := s.withConn(ctx, bounded, func(conn *pgx.Conn) error {
		var first, rest batch
		first.begin(beginWrite, settings)
		read(&first)
		if err := first.run(bounded, conn); err != nil {
			return err // the pool closes a connection that is in a transaction
		}
		write(&rest)
		rest.commit()
		return rest.run(bounded, conn)
	})
	return s.whyEnded(bounded, err)
}

// whyEnded tells the caller of an end of the context why, and not only what became of the
// connection.
func (s *Store) whyEnded(bounded context.Context, err error) error {
	if cause := context.Cause(bounded); err != nil && cause != nil && state(err) == "" {
		return fmt.Errorf("%w (%v)", cause, err)
	}
	return err
}

// withConn runs f with a connection of the pool. It waits for one no longer than ctx lasts, nor
// than bounded does.
func (s *Store) withConn(ctx, bounded context.Context, f func(*pgx.Conn) error) error {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(bounded, cancel)()
	conn, err := s.pool.Acquire(waiting)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	defer conn.Release()
	return f(conn.Conn())
}

// readRow runs a statement that reads one row, which the returned function scans.
func (s *Store) readRow(ctx context.Context, sql string, args ...any) func(...any) error {
	return func(dest ...any) error {
		return s.readRows(ctx, func(rows pgx.Rows) error { return onlyRow{rows}.Scan(dest...) }, sql, args...)
	}
}

// readRows runs a statement that reads rows.
func (s *Store) readRows(ctx context.Context, f func(pgx.Rows) error, sql string, args ...any) error {
	return s.read(ctx, plainSettings, func(b *batch) { b.Queue(sql, args...).Query(f) })
}

// scanFunc is a function as a row.
type scanFunc func(dest ...any) error

func (f scanFunc) Scan(dest ...any) error { return f(dest...) }
