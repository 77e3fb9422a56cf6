package pgstore_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

func TestMigrateAllAtOnce(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range 2 {
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Stats(t.Context(), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSchemaOutOfDate(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Enqueue(t.Context(), someEvents(1)...); !errors.Is(err, pgstore.ErrSchema) {
		t.Errorf("Enqueue before Migrate: got %v, want ErrSchema", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Errorf("Enqueue after Migrate: %v", err)
	}
	if _, err := pool.Exec(t.Context(),
		"INSERT INTO "+schema+".migrations (version) VALUES (1000)"); err != nil {
		t.Fatal(err)
	}
	newer, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	if err := newer.Migrate(t.Context()); !errors.Is(err, pgstore.ErrSchema) {
		t.Errorf("Migrate of a newer schema: got %v, want ErrSchema", err)
	}
}

// TestMigrateFromTheSecond brings a schema of version 2 with counts in it up to date. They are in
// an encoding that is read no more, and go; what is counted from then on is read.
func TestMigrateFromTheSecond(t *testing.T) {
	t.Parallel()
	pool, name := newPool(t)
	exec := func(statements string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), statements, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE SCHEMA " + name + "; CREATE TABLE " + name +
		".migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())")
	for version := range 2 {
		text, err := os.ReadFile(fmt.Sprintf("internal/schema/migrations/%04d.sql", version+1))
		if err != nil {
			t.Fatal(err)
		}
		exec(schema.Name(name).In(string(text)))
		exec(fmt.Sprintf("INSERT INTO %s.migrations (version) VALUES (%d)", name, version+1))
	}
	exec("INSERT INTO " + name + ".attempt_counts (sub, bucket, writer, counts) " +
		"SELECT 0, extract(epoch FROM now())::bigint / 300 - n, 1, '\\x0102' " +
		"FROM generate_series(0, 9) n")
	s := open(t, pool, name)
	if n := count(t, pool, name, "attempt_counts"); n != 0 {
		t.Errorf("rows of counts after Migrate: got %d, want none", n)
	}
	finishSome(t, s, 3)
	wantCounted(t, "after Migrate", s, "s", 3, 3)
}

func TestSchemaNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`Odd "name" outhook.`, "größe"} {
		t.Run(name, func(t *testing.T) {
			pool, _ := newPool(t)
			t.Cleanup(func() { dropSchema(t, pool, name) })
			s := open(t, pool, name)
			j := newJudge(t)
			subscribeJudge(t, s, j)
			evs := someEvents(1)
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			if got := claimIDs(t, s); len(got) != 1 {
				t.Errorf("claims: got %v, want one", got)
			}
		})
	}
	pool, _ := newPool(t)
	if _, err := pgstore.New(pool, &pgstore.Options{Schema: strings.Repeat("x", 64)}); err == nil {
		t.Error("New with a schema name that PostgreSQL would cut short: got no error")
	}
}

func TestUnsafeServerIsRefused(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	srv := newServer(t, map[string]string{"fsync": "off"})
	cases := map[string]struct{ url, mends string }{
		"fsync":              {srv.URL(), "fsync"},
		"synchronous_commit": {serverURL + "&options=-csynchronous_commit%3Doff", "synchronous_commit"},
	}
	for name, tc := range cases {
		_, schema := newPool(t)
		_, err := pgstore.Open(t.Context(), tc.url, &pgstore.Options{Schema: schema})
		if !errors.Is(err, pgstore.ErrUnsafe) || !strings.Contains(err.Error(), tc.mends+" is off") {
			t.Errorf("Open with %s off: got %v, want ErrUnsafe that names it", name, err)
		}
		s, err := pgstore.Open(t.Context(), tc.url, &pgstore.Options{Schema: schema, Unsafe: true})
		if err != nil {
			t.Errorf("Open with %s off and Unsafe: %v", name, err)
			continue
		}
		s.Close()
	}
}
