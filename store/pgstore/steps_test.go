package pgstore_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

func TestFaultSteps(t *testing.T) {
	if !long {
		t.Skip("it takes 1,000,000 deliveries: run it with OUTHOOK_LONG=1")
	}
	// What the server does is seen in time alone, and a long run has the machine to itself.
	began := time.Now()
	storetest.Steps(t, func(t *testing.T) store.Store { return newStore(t) }, 1_000_000,
		func(*testing.T) int64 { return time.Since(began).Microseconds() })
}

// TestRequeueLooksOneWay looks for queries that go through a listing from the newest event on,
// among what the connections have prepared. A page before a cursor has them, to say whether there
// is one after it; a step of Requeue, which goes from the oldest on, has not: with a filter they
// pass all that the steps before it have changed.
func TestRequeueLooksOneWay(t *testing.T) {
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	finishSome(t, s, 3)
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Delivered}, Limit: 1}
	first, err := s.Requeue(t.Context(), q)
	if err != nil || first.Next == "" {
		t.Fatalf("a first step: %+v, %v", first, err)
	}
	q.Cursor = first.Next
	if _, err := s.Requeue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if n := fromNewest(t, pool); n != 0 {
		t.Errorf("Requeue looked at what it has passed with %d queries", n)
	}
	if _, err := s.Deliveries(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if fromNewest(t, pool) == 0 {
		t.Error("a page did not look at what comes after it")
	}
}

// fromNewest returns how many queries that go through a listing from the newest event on are
// prepared.
func fromNewest(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	for _, conn := range pool.AcquireAllIdle(t.Context()) {
		defer conn.Release()
		here := 0
		err := conn.QueryRow(t.Context(),
			"SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE $1",
			"%ORDER BY seq DESC, sub%").Scan(&here)
		if err != nil {
			t.Fatal(err)
		}
		n += here
	}
	return n
}
