package pgstore_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/store/pgstore"
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
