package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestNoBloat checks that what is dead is used again: under traffic whose history is pruned, and
// that waits for the server to vacuum by the settings of the tables, no table grows with the number
// of deliveries.
func TestNoBloat(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	srv := newServer(t, map[string]string{"autovacuum_naptime": "1s", "autovacuum": "off"})
	pool, err := pgxpool.New(t.Context(), srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const perRound, batch = 12_000, 500
	n := rounds(5, 60)
	var first map[string]int
	for round := range n {
		sizes := oneRound(t, srv.URL(), pool, perRound, batch)
		if round == 0 { // in which nothing was used again
			first = sizes
			startVacuuming(t, pool)
		}
		awaitVacuum(t, pool, (round+1)*perRound, perRound/2)
		for table, size := range sizes {
			// Space that is used again only one round later makes it twice the first. Without that
			// it would be five times.
			if most := 3*first[table] + 512<<10; size > most {
				t.Errorf("%s: %d kB at the end of round %d, want at most %d kB, as it had %d kB in the first",
					table, size>>10, round+1, most>>10, first[table]>>10)
			}
		}
		if t.Failed() {
			break
		}
	}
	logTables(t, pool)
}

// startVacuuming has the server vacuum by itself, as it does by default.
func startVacuuming(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, statement := range []string{"ALTER SYSTEM SET autovacuum = on", "SELECT pg_reload_conf()"} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// oneRound delivers so many events and prunes all of them. It returns how large the tables were in
// between, and everything that the server counts has been counted when it returns, as the
// connections are closed.
func oneRound(t *testing.T, url string, pool *pgxpool.Pool, total,
	batch int) (sizes map[string]int) {
	t.Helper()
	s, err := pgstore.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range total / batch {
		finishSome(t, s, batch)
	}
	sizes = tableSizes(t, pool)
	for more := true; more; {
		if more, err = s.Prune(t.Context(),
			store.Retention{Delivered: time.Nanosecond, Failed: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
	}
	return sizes
}

// awaitVacuum waits until the server knows that so many rows were deleted, and has vacuumed the
// tables so far that no more than some are dead.
func awaitVacuum(t *testing.T, pool *pgxpool.Pool, deleted, dead int) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for start := time.Now(); ; {
		var behind []string
		err := pool.QueryRow(t.Context(), `
			SELECT coalesce(array_agg(relname::text), '{}')
			FROM pg_stat_user_tables
			WHERE relname IN ('deliveries', 'events') AND (n_tup_del < $1 OR n_dead_tup > $2)`,
			deleted, dead).Scan(&behind)
		if err != nil {
			t.Fatal(err)
		}
		if len(behind) == 0 {
			return
		}
		if time.Since(start) > 2*time.Minute {
			logTables(t, pool)
			t.Fatalf("%v: not vacuumed within two minutes of %d rows being deleted", behind, deleted)
		}
		<-ticker.C
	}
}

// tableSizes returns the bytes of each table with its indexes.
func tableSizes(t testing.TB, pool *pgxpool.Pool) map[string]int {
	t.Helper()
	sizes := make(map[string]int)
	rows, err := pool.Query(context.Background(),
		"SELECT relname::text, pg_total_relation_size(relid) FROM pg_stat_user_tables")
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
	rows, err := pool.Query(context.Background(), `
		SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del, n_live_tup, n_dead_tup,
			autovacuum_count, pg_total_relation_size(relid) / 1024
		FROM pg_stat_user_tables
		WHERE n_tup_ins + n_tup_upd > 1000
		ORDER BY 1`)
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
		t.Logf("%s: %d, %d (%d), %d; %d, %d; %d; %d", table, n[0], n[1], n[2], n[3], n[4], n[5], n[6],
			n[7])
	}
}
