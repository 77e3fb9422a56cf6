// Package roomtest makes replicas for the tests of rooms that need a database: each with a pool and
// a memory of its own, and as many as a test likes on one schema.
package roomtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// The server of the tests of one package. Set once, by Main.
var (
	serverURL string
	noServer  string // why there is none
)

// startTimeout bounds the start of the server. It is far longer than that takes, as many packages
// may start one at the same time.
const startTimeout = 5 * time.Minute

// Main runs the tests of a package with the server that OUTHOOK_TEST_POSTGRES names, or with one of
// their own. It returns the exit code. It is called from TestMain: all tests of the package share
// the server, each with schemas of its own.
func Main(m *testing.M) int {
	if serverURL = os.Getenv("OUTHOOK_TEST_POSTGRES"); serverURL != "" {
		return m.Run()
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	srv, err := pgtest.Start(ctx, pgtest.Config{})
	switch {
	case errors.Is(err, pgtest.ErrNotInstalled):
		// The tests that need none still run.
		noServer = "there is no PostgreSQL to test with: OUTHOOK_TEST_POSTGRES is not set, and no " +
			"server is installed"
		return m.Run()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The folder too: a server of the tests leaves nothing behind.
	defer srv.Remove()
	serverURL = srv.URL()
	return m.Run()
}

// schemas numbers the schemas of this process, so that tests can run in parallel.
var schemas atomic.Int64

// NewSchema returns the name of a schema that has its tables, and nothing in them. It skips the
// test where there is no server, or fails it where everything must run.
func NewSchema(t testing.TB) schema.Name {
	t.Helper()
	// A test that skips itself in CI is noticed by nobody.
	if noServer != "" && os.Getenv("OUTHOOK_CI") != "" {
		t.Fatal(noServer)
	}
	if noServer != "" {
		t.Skip(noServer)
	}
	// With the process: packages are tested at the same time, perhaps on one server.
	name := schema.Name(fmt.Sprintf("outhook_room_%d_%d", os.Getpid(), schemas.Add(1)))
	// The pool is closed after the schema is dropped, as cleanups run from the last to the first.
	pool := newPool(t)
	// By the migrations that hosts run, so that rooms are tested with their indexes and defaults.
	if err := name.Migrate(context.Background(), pool); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA "+name.Quoted()+" CASCADE")
		if err != nil {
			t.Error(err)
		}
	})
	return name
}

// newPool returns a pool. Each replica has one, so that none waits for a connection that another
// holds.
func newPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), serverURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// NewReplica returns a replica on a schema, and its pool. Its life ends with the test. It claims
// nothing and owns nothing until a test has it do so, and nothing runs in the background: a test
// calls what a step is about.
func NewReplica(t testing.TB, name schema.Name) (*replica.Replica, *pgxpool.Pool) {
	t.Helper()
	pool := newPool(t)
	// As in the façade: life ends first, cut when nothing is waited for any more.
	life, end := context.WithCancel(context.Background())
	cut, cutOff := context.WithCancelCause(context.Background())
	db, err := sqltx.New(pool, cut)
	if err != nil {
		t.Fatal(err)
	}
	// Trouble in the background is not a failure of its own; some tests make it.
	log := func(what string, err error) { t.Logf("%s: %v", what, err) }
	// Tell and Hear are not started, so it wakes only who waits in the same replica.
	notifier := notify.New(db, pool, name, log)
	// The fields are those that the façade sets (Store.makeReplica).
	r := &replica.Replica{
		// Random and above 0, as 0 stands for nobody.
		ID: rand.Int64N(math.MaxInt64) + 1, DB: db, Schema: name, SQL: name.Statements(),
		Memory: memory.New(notifier.Wake), Notify: notifier, Log: log, Life: life, Cut: cut,
	}
	t.Cleanup(func() {
		end()
		cutOff(store.ErrClosed)
		// Nothing may log to a test that has ended.
		r.Background.Wait()
	})
	return r, pool
}
