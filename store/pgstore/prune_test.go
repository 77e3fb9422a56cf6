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
	if n := count(t, pool, schema, "deliveries"); n != 10 {
		t.Errorf("deliveries after that: got %d, want 10", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), keep); err != nil {
		t.Error(err)
	}
	for _, table := range []string{"deliveries", "events"} {
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
		if _, err := s.CreateSubscription(ctx,
			store.Subscription{ID: "s", URL: "https://endpoint.example/",
				Status: store.Subscribed}); err != nil {
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
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered,
			Attempt: store.Attempt{At: time.Now(), Status: 200}}
	}
	if _, err := s.Finish(ctx, outcomes...); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, pool *pgxpool.Pool, schema, table string) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(),
		fmt.Sprintf("SELECT count(*) FROM %s.%s", schema, table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
