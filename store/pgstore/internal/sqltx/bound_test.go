package sqltx_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

var errCut = errors.New("it was cut off")

// newDB returns a DB that has no server, and what cuts it off. Its pool is closed, so that it has
// no goroutines.
func newDB(t *testing.T) (*sqltx.DB, func()) {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), "postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
	cut, cutOff := context.WithCancelCause(context.Background())
	db, err := sqltx.New(pool, cut)
	if err != nil {
		t.Fatal(err)
	}
	return db, func() { cutOff(errCut) }
}

// TestBound checks when a transaction is cut off, and that its context says why.
func TestBound(t *testing.T) {
	const grace, limit = time.Second, time.Minute
	for name, tc := range map[string]struct {
		bounds sqltx.Bounds
		end    func(cancel, cutOff func())
		after  time.Duration
		cause  error
	}{
		"by its limit": {
			sqltx.Bounds{Grace: grace, Limit: limit}, func(_, _ func()) {}, limit, sqltx.ErrSlow,
		},
		"some time after its caller": {
			sqltx.Bounds{Grace: grace, Limit: limit}, func(cancel, _ func()) {
				cancel()
			}, grace, context.Canceled,
		},
		"with its caller": {
			sqltx.Bounds{Limit: limit}, func(cancel, _ func()) { cancel() }, 0, context.Canceled,
		},
		"with the store": {
			sqltx.Bounds{Grace: grace, Limit: limit}, func(_, cutOff func()) { cutOff() }, 0, errCut,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, cutOff := newDB(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				bounded, release := db.Bound(ctx, tc.bounds)
				defer release()
				began := time.Now()
				tc.end(cancel, cutOff)
				<-bounded.Done()
				if took := time.Since(began); took != tc.after {
					t.Errorf("it ended after %v, want %v", took, tc.after)
				}
				if got := context.Cause(bounded); !errors.Is(got, tc.cause) {
					t.Errorf("cause: got %v, want %v", got, tc.cause)
				}
				broken := errors.New("the connection is closed")
				if err := sqltx.WhyEnded(bounded, broken); !errors.Is(err, tc.cause) {
					t.Errorf("the error of the connection: got %v, want it to say why", err)
				}
				refused := &pgconn.PgError{Code: sqltx.QueryCanceled}
				if err := sqltx.WhyEnded(bounded, refused); err != error(refused) {
					t.Errorf("an error of the server's: got %v, want it as it is", err)
				}
			})
		})
	}
}

func TestRetry(t *testing.T) {
	deadlock := &pgconn.PgError{Code: sqltx.DeadlockDetected}
	timeout := &pgconn.PgError{Code: sqltx.LockNotAvailable}
	for name, tc := range map[string]struct {
		errs  []error // the last is repeated
		tries int
		want  error
	}{
		"at once":                      {[]error{nil}, 1, nil},
		"after others got in the way":  {[]error{deadlock, deadlock, nil}, 3, nil},
		"not for ever":                 {[]error{deadlock}, sqltx.Tries, deadlock},
		"not if it would fail again":   {[]error{timeout}, 1, timeout},
		"not if it may have committed": {[]error{errCut}, 1, errCut},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			err := sqltx.Retry(func() error {
				tries++
				return tc.errs[min(tries, len(tc.errs))-1]
			})
			if tries != tc.tries || err != tc.want {
				t.Errorf("got %d tries and %v, want %d and %v", tries, err, tc.tries, tc.want)
			}
		})
	}
}

func TestSimpleProtocolIsRefused(t *testing.T) {
	pool, err := pgxpool.New(t.Context(),
		"postgres://nobody@127.0.0.1:1/none?default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := sqltx.New(pool, t.Context()); err == nil {
		t.Error("it was let in")
	}
}
