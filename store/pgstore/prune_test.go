package pgstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestPruneByOneReplica checks that while one replica prunes, another finds nothing to do.
func TestPruneByOneReplica(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	finishSome(t, s, 10)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1)", s.PruneLock()); err != nil {
		t.Fatal(err)
	}
	keep := store.Retention{Delivered: time.Nanosecond}
	if more, err := s.Prune(t.Context(), keep); more || err != nil {
		t.Errorf("Prune while another replica does: got %t, %v, want nothing to do", more, err)
	}
	if n := count(t, pool, schema, "history"); n != 10 {
		t.Errorf("deliveries after that: got %d, want 10", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), keep); err != nil {
		t.Error(err)
	}
	for _, table := range []string{"history", "events"} {
		if n := count(t, pool, schema, table); n != 0 {
			t.Errorf("rows of %s after Prune: got %d, want none", table, n)
		}
	}
}

// finishSome enqueues and delivers events, in one batch of each.
func finishSome(t testing.TB, s *pgstore.Store, n int) {
	t.Helper()
	ctx := context.Background()
	if stats, err := s.Stats(ctx, ""); err != nil {
		t.Fatal(err)
	} else if stats.Subscriptions == 0 {
		if _, err := s.CreateSubscription(ctx, store.Subscription{ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Enqueue(ctx, someEvents(n)...); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(ctx, store.ClaimRequest{Max: n, Lease: time.Minute})
	if err != nil || len(claims.Claims) != n {
		t.Fatalf("claims: got %d, %v, want %d", len(claims.Claims), err, n)
	}
	outcomes := make([]store.Outcome, n)
	for i, c := range claims.Claims {
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered, Attempt: store.Attempt{At: time.Now(), Status: 200}}
	}
	if _, err := s.Finish(ctx, outcomes...); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, pool *pgxpool.Pool, schema, table string) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), fmt.Sprintf("SELECT count(*) FROM %s.%s", schema, table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNoBloat checks that under steady traffic with pruning the tables stop growing: what is dead is used again.
func TestNoBloat(t *testing.T) {
	t.Parallel()
	srv := newServer(t, map[string]string{"autovacuum_naptime": "1s"})
	ctx := t.Context()
	s, err := pgstore.Open(ctx, srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pool, err := pgxpool.New(ctx, srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const window, batch = 3 * time.Second, 100 // what is kept, and at a time
	total := 16 * time.Second
	if *long {
		total = 4 * time.Minute
	}
	var sizes []map[string]int
	rounds := 0
	pace := time.NewTicker(80 * time.Millisecond) // or else traffic grows when a neighbour stops, and the tables with it
	defer pace.Stop()
	for start := time.Now(); time.Since(start) < total; rounds++ {
		<-pace.C
		finishSome(t, s, batch)
		if rounds%5 == 0 {
			for more := true; more; {
				if more, err = s.Prune(ctx, store.Retention{Delivered: window, Failed: window}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if done := time.Since(start); done > total/2 && len(sizes) == 0 {
			sizes = append(sizes, tableSizes(t, pool))
		}
	}
	sizes = append(sizes, tableSizes(t, pool))
	for table, half := range sizes[0] {
		if full := sizes[1][table]; full > half*2+2<<20 {
			t.Errorf("%s: %d kB after half the time and %d kB after all of it, want it to have stopped growing", table, half>>10, full>>10)
		}
	}
	t.Logf("%d deliveries in %v, kept for %v; sizes after half the time %v and after all %v", rounds*batch, total, window, sizes[0], sizes[1])
	logTables(t, pool)
}

// tableSizes returns the bytes of each table with its indexes.
func tableSizes(t testing.TB, pool *pgxpool.Pool) map[string]int {
	t.Helper()
	sizes := make(map[string]int)
	rows, err := pool.Query(context.Background(), "SELECT relname::text, pg_total_relation_size(relid) FROM pg_stat_user_tables")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var size int
		if err := rows.Scan(&table, &size); err != nil {
			t.Fatal(err)
		}
		sizes[table] = size
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return sizes
}

// logTables shows what the server counts of the tables.
func logTables(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	rows, err := pool.Query(context.Background(), `SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del, n_live_tup, n_dead_tup,
		autovacuum_count, pg_total_relation_size(relid) / 1024 FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd > 1000 ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	t.Log("table: inserted, updated (of them in place), deleted; live, dead; vacuumed; kB")
	for rows.Next() {
		var table string
		var n [8]int
		if err := rows.Scan(&table, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d, %d (%d), %d; %d, %d; %d; %d", table, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7])
	}
}
