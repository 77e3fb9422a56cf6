package pgstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// TestStatementsArePlannedOnce publishes, claims and records a few times, and asks the server how
// it has planned what that took: never for one execution alone. To plan the statement that
// publishes takes several times as long as to execute it.
func TestStatementsArePlannedOnce(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	var version int
	if err := pool.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").
		Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version < 140000 {
		t.Skip("before 14 PostgreSQL does not say how it has planned")
	}
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	for range 20 {
		if err := s.Enqueue(t.Context(), someEvents(2)...); err != nil {
			t.Fatal(err)
		}
		for _, cl := range claimAll(t, s) {
			finish(t, s, store.Outcome{Lease: cl.Lease, State: store.Delivered,
				Attempt: store.Attempt{Number: 1, Status: 200, Duration: 20 * time.Millisecond}})
		}
	}
	conns := pool.AcquireAllIdle(t.Context())
	for _, conn := range conns {
		defer conn.Release()
	}
	sql := s.HotStatements()
	for _, name := range []string{"enqueue", "claim", "noticed", "finish"} {
		planned, anew := 0, 0
		for _, conn := range conns {
			var once, each int
			err := conn.QueryRow(t.Context(), "SELECT coalesce(sum(generic_plans), 0), "+
				"coalesce(sum(custom_plans), 0) FROM pg_prepared_statements WHERE statement = $1",
				sql[name].SQL).Scan(&once, &each)
			if err != nil {
				t.Fatal(err)
			}
			planned, anew = planned+once, anew+each
		}
		if anew > 0 || planned == 0 {
			t.Errorf("%s: got %d executions by one plan, and %d that were planned anew, want none",
				name, planned, anew)
		}
	}
}
