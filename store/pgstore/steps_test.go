package pgstore_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

func TestFaultSteps(t *testing.T) {
	if !*long {
		t.Skip("it takes 1,000,000 deliveries: run it with -long")
	}
	storetest.Steps(t, func(t *testing.T) store.Store { return newStore(t) }, 1_000_000)
}

// TestRequeueLooksForward watches for queries that go through a listing backwards. A page of one has
// them, to say whether there is a page before it; a step of Requeue has not: with a filter they pass
// all that the steps before it have changed.
func TestRequeueLooksForward(t *testing.T) {
	_, schema := newPool(t)
	config, err := pgxpool.ParseConfig(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	var back backwards
	config.ConnConfig.Tracer = &back
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := open(t, pool, schema)
	q := store.DeliveryQuery{States: store.States(), Limit: 1, Cursor: "n-1-0"}
	if _, err := s.Deliveries(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if back.Swap(0) != 1 {
		t.Fatal("a page did not look back")
	}
	if _, _, err := s.Requeue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if n := back.Swap(0); n != 0 {
		t.Errorf("Requeue looked back %d times", n)
	}
}

// backwards counts queries that go through a listing backwards.
type backwards struct{ atomic.Int64 }

func (b *backwards) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if strings.Contains(data.SQL, "ORDER BY seq, sub DESC") {
		b.Add(1)
	}
}

func (b *backwards) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (b *backwards) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (b *backwards) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (b *backwards) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
