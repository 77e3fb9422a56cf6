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

// startTimeout bounds the start of the server.
const startTimeout = time.Minute

// Main runs the tests of a package with the server that OUTHOOK_TEST_POSTGRES names, or with one of
// their own. It returns the exit code.
func Main(m *testing.M) int {
	if serverURL = os.Getenv("OUTHOOK_TEST_POSTGRES"); serverURL != "" {
		return m.Run()
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	srv, err := pgtest.Start(ctx, pgtest.Config{})
	switch {
	case errors.Is(err, pgtest.ErrNotInstalled):
		noServer = "there is no PostgreSQL to test with: OUTHOOK_TEST_POSTGRES is not set, and no " +
			"server is installed"
		return m.Run()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer srv.Remove()
	serverURL = srv.URL()
	return m.Run()
}

var schemas atomic.Int64

// NewSchema returns the name of a schema that has its tables, and nothing in them. It skips the
// test where there is no server, or fails it where everything must run.
func NewSchema(t testing.TB) schema.Name {
	t.Helper()
	if noServer != "" && os.Getenv("OUTHOOK_CI") != "" {
		t.Fatal(noServer)
	}
	if noServer != "" {
		t.Skip(noServer)
	}
	name := schema.Name(fmt.Sprintf("outhook_room_%d_%d", os.Getpid(), schemas.Add(1)))
	pool := newPool(t)
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

func newPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), serverURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// NewReplica returns a replica on a schema, and its pool. Its life ends with the test.
func NewReplica(t testing.TB, name schema.Name) (*replica.Replica, *pgxpool.Pool) {
	t.Helper()
	pool := newPool(t)
	life, end := context.WithCancel(context.Background())
	cut, cutOff := context.WithCancelCause(context.Background())
	db, err := sqltx.New(pool, cut)
	if err != nil {
		t.Fatal(err)
	}
	log := func(what string, err error) { t.Logf("%s: %v", what, err) }
	notifier := notify.New(db, pool, name, log)
	r := &replica.Replica{
		ID: rand.Int64N(math.MaxInt64) + 1, DB: db, Schema: name, SQL: name.Statements(),
		Memory: memory.New(notifier.Wake), Notify: notifier, Log: log, Life: life, Cut: cut,
	}
	t.Cleanup(func() {
		end()
		cutOff(store.ErrClosed)
		r.Background.Wait()
	})
	return r, pool
}
