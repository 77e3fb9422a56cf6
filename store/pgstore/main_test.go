package pgstore_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// The server that the tests share: the one that the environment names, or one of their own. Set
// once, by TestMain.
var (
	serverURL string
	noServer  string // why there is none
)

// parallel is how many tests run at once: they wait for time to pass and for the server rather than
// compute.
const parallel = "12"

func TestMain(m *testing.M) {
	if os.Getenv(envReplica) != "" {
		os.Exit(replicaMain())
	}
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	os.Exit(testMain(m))
}

// startTimeout bounds the start of the server, which takes a second on a machine with nothing else
// to do.
const startTimeout = 5 * time.Minute

func testMain(m *testing.M) int {
	// its workers are killed, and would leave servers behind
	if flag.Lookup("test.fuzz").Value.String() != "" {
		noServer = "fuzzing starts no server"
		return m.Run()
	}
	if serverURL = os.Getenv("OUTHOOK_TEST_POSTGRES"); serverURL != "" {
		return m.Run()
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	srv, err := pgtest.Start(ctx, pgtest.Config{InMemory: true})
	switch {
	case errors.Is(err, pgtest.ErrNotInstalled):
		noServer = "there is no PostgreSQL to test with: OUTHOOK_TEST_POSTGRES is not set, and no " +
			"server is installed"
		fmt.Fprintln(os.Stderr, noServer)
		// Tests skip by needServer; examples can't.
		skip := cmp.Or(flag.Lookup("test.skip").Value.String(), "^Example")
		if err := flag.Set("test.skip", skip); err != nil {
			panic(err)
		}
		return m.Run()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer srv.Remove()
	serverURL = srv.URL()
	return m.Run()
}

// needServer skips the test where there is no server.
func needServer(t testing.TB) {
	t.Helper()
	if noServer != "" {
		skip(t, noServer)
	}
}

// skip skips the test. Where everything must run, it fails.
func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("OUTHOOK_CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// leaveToFull skips, with -short, a test that takes more than some seconds.
func leaveToFull(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes more than some seconds: go test without -short runs it")
	}
}

// long asks for the tests in full: minutes, where the usual versions take seconds.
var long = os.Getenv("OUTHOOK_LONG") != ""

var schemas atomic.Int64

// newPool returns a pool on the shared server, and the name of a schema that nobody else uses and
// that is dropped at the end.
func newPool(t testing.TB) (*pgxpool.Pool, string) {
	t.Helper()
	needServer(t)
	pool, err := pgxpool.New(context.Background(), serverURL)
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("outhook_test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		dropSchema(t, pool, schema)
		pool.Close()
	})
	return pool, schema
}

// newStore returns a store in a schema of its own.
func newStore(t testing.TB) *pgstore.Store {
	t.Helper()
	pool, schema := newPool(t)
	return open(t, pool, schema)
}

// open returns a store in the schema, which it brings up to date.
func open(t testing.TB, pool *pgxpool.Pool, schema string) *pgstore.Store {
	t.Helper()
	s := connectStore(t, pool, schema)
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// connectStore returns a store in the schema as it is.
func connectStore(t testing.TB, pool *pgxpool.Pool, schema string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dropSchema drops it, also when the server's own vacuuming gets in the way.
func dropSchema(t testing.TB, pool *pgxpool.Pool, schema string) {
	var err error
	for range 5 {
		if _, err = pool.Exec(context.Background(),
			"DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE"); err == nil {
			return
		}
	}
	t.Error(err)
}
