package pgstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// wantCounted checks how many attempts a store says there were in the last hour and the last day.
func wantCounted(t *testing.T, when string, s *pgstore.Store, id string, hour, day int) {
	t.Helper()
	stats, err := s.Stats(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Hour.Delivered != hour || stats.Day.Delivered != day {
		t.Errorf("%s, delivered to %s: got %d in an hour and %d in a day, want %d and %d", when, id,
			stats.Hour.Delivered, stats.Day.Delivered, hour, day)
	}
}

// TestCountsOfAllReplicas checks that what several replicas have counted adds up, once it is
// written.
func TestCountsOfAllReplicas(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	first, second := open(t, pool, schema), open(t, pool, schema)
	first.KeepCounts()
	second.KeepCounts()
	finishSome(t, first, 3)
	wantCounted(t, "before it is written", first, "s", 3, 3)
	first.FlushCounts()
	finishSome(t, first, 4)
	wantCounted(t, "when some of it is written", first, "s", 7, 7)
	wantCounted(t, "when some of it is written, by another replica", second, "s", 3, 3)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	finishSome(t, second, 5) // the subscription is its own now
	wantCounted(t, "when the first is closed, by the other", second, "s", 12, 12)
	second.FlushCounts()
	wantCounted(t, "when all is written", open(t, pool, schema), "s", 12, 12)
}

// TestCountsThatCannotBeRead checks that a row of counts that is damaged counts as nothing: figures
// are not worth an error where all else can be read.
func TestCountsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	s.KeepCounts()
	finishSome(t, s, 3)
	s.FlushCounts()
	if _, err := pool.Exec(t.Context(), "INSERT INTO "+schema+".attempt_counts "+
		"SELECT sub, bucket, writer + 1, '\\xffffff' FROM "+schema+".attempt_counts"); err != nil {
		t.Fatal(err)
	}
	wantCounted(t, "beside a damaged row", s, "s", 3, 3)
	figures, err := s.Figures(t.Context(), store.FiguresQuery{SubscriptionID: "s", Per: store.PerHour})
	if err != nil || len(figures.Sums) == 0 {
		t.Errorf("Figures beside a damaged row: got %+v, %v", figures, err)
	}
}

// TestCountsGrowOld checks that counts leave the hour and then the day, when Prune removes them,
// and go with their subscription.
func TestCountsGrowOld(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	s.KeepCounts()
	finishSome(t, s, 3)
	s.FlushCounts()
	age := func(d time.Duration) {
		t.Helper()
		s.KeepCounts() // or else it goes by what it has in memory
		if _, err := pool.Exec(t.Context(), "UPDATE "+schema+".attempt_counts SET bucket = bucket - $1",
			int64(d/(5*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	prune := func() int {
		t.Helper()
		if _, err := s.Prune(t.Context(), store.Retention{}); err != nil {
			t.Fatal(err)
		}
		return count(t, pool, schema, "attempt_counts")
	}
	age(2 * time.Hour)
	wantCounted(t, "after two hours", s, "s", 0, 3)
	finishSome(t, s, 2)
	wantCounted(t, "after two more", s, "s", 2, 5)
	s.FlushCounts()
	if n := prune(); n != 4 {
		t.Errorf("rows after Prune: got %d, want the 4 of the last three days", n)
	}
	age(23 * time.Hour)
	wantCounted(t, "after another 23 hours", s, "s", 0, 2)
	age(48 * time.Hour)
	if n := prune(); n != 2 {
		t.Errorf("rows after three days and Prune: got %d, want 2", n)
	}
	if err := s.DeleteSubscription(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, pool, schema, "attempt_counts"); n != 1 { // of all
		t.Errorf("rows after a subscription was deleted: got %d, want 1", n)
	}
}

// TestCountsInMemoryAreBounded checks that what is written is let go when there is much of it, and
// that what is counted afterwards of the same subscriptions adds to it.
func TestCountsInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	s.KeepCounts()
	const subs = pgstore.MaxCounts + 1000
	createMany(t, pool, schema, subs)
	at := time.Now()
	for round := range 3 {
		for n := range subs {
			s.Count(int64(n+1), at, store.Outcome{State: store.Delivered,
				Attempt: store.Attempt{Status: 200}})
		}
		for _, id := range []string{"sub-1", fmt.Sprint("sub-", subs)} {
			wantCounted(t, "before it is written", s, id, round+1, round+1)
		}
		s.FlushCounts()
		if n := s.Counts(); n > pgstore.MaxCounts {
			t.Errorf("buckets in memory once they are written: got %d, want at most %d", n,
				pgstore.MaxCounts)
		}
	}
	for _, id := range []string{"sub-1", fmt.Sprint("sub-", subs)} {
		wantCounted(t, "by another replica", open(t, pool, schema), id, 3, 3)
	}
}

// createMany makes subscriptions sub-1 and so on, with these numbers, in a new store.
func createMany(t *testing.T, pool *pgxpool.Pool, schema string, n int) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO %[1]s.subscriptions (id, tenant, name, url, events, header_names, header_values,
			secrets, status, disabled_reason, created_at, updated_at, subscribed_at)
		SELECT 'sub-' || n, '', '', 'https://endpoint.example/', '{}', '{}', '{}', '{}', 'Subscribed',
			'', now(), now(), now()
		FROM generate_series(1, %[2]d) n ORDER BY n`,
		`INSERT INTO %[1]s.health (sub) SELECT num FROM %[1]s.subscriptions ORDER BY num LIMIT %[2]d`,
	} {
		if _, err := pool.Exec(t.Context(), fmt.Sprintf(statement, schema, n)); err != nil {
			t.Fatal(err)
		}
	}
}
